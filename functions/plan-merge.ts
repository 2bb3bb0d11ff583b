import * as z from 'zod/mini';
import { planMerge } from '../core/jobs/plan-merge.ts';
import { maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'plan-merge',
  input: z.object({ run: maintainRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openMerge(run);
    return planMerge({ work, keys }, plan);
  },
});
