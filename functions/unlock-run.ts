import * as z from 'zod/mini';
import { unlockRun } from '../core/jobs/end-run.ts';
import { restoreRunSchema, snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'unlock-run',
  input: z.object({ run: z.discriminatedUnion('machine', [snapshotRunSchema, restoreRunSchema]) }),
  run: async ({ run }) => {
    await unlockRun(work, run);
    return { unlocked: true };
  },
});
