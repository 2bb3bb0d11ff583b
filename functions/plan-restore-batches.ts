import * as z from 'zod/mini';
import { planRestoreBatches } from '../core/jobs/plan-restore-batches.ts';
import { restoreRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRestore } from './runtime/restore-run.ts';
import { vault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'plan-restore-batches',
  input: z.object({ run: restoreRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openRestore(run);
    return planRestoreBatches({ work, vault, keys, clock }, plan);
  },
});
