import * as z from 'zod/mini';
import { planCopies } from '../core/jobs/plan-copies.ts';
import { passSchema, snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRun } from './runtime/snapshot-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'plan-copies',
  input: z.object({ run: snapshotRunSchema, pass: passSchema }),
  run: async ({ run, pass }) => {
    const { plan, keys } = await openRun(run);
    return planCopies({ work, keys }, plan, pass);
  },
});
