import * as z from 'zod/mini';
import { planReads } from '../core/jobs/plan-reads.ts';
import { verifyRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { work } from './runtime/stores.ts';
import { openVerify } from './runtime/verify-run.ts';

export const handler = defineFunction({
  name: 'plan-reads',
  input: z.object({ run: verifyRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openVerify(run);
    return planReads({ work, keys }, plan);
  },
});
