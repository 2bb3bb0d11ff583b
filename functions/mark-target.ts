import * as z from 'zod/mini';
import { markTarget } from '../core/jobs/mark-target.ts';
import { restoreRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRestore, targetOf } from './runtime/restore-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'mark-target',
  input: z.object({ run: restoreRunSchema, phase: z.enum(['moving', 'placing', 'done']) }),
  run: async ({ run, phase }) => {
    const { plan, keys } = await openRestore(run);
    await markTarget({ work, keys, target: targetOf(plan) }, plan, phase);
    return { marked: phase };
  },
});
