import * as z from 'zod/mini';
import { verifyRank, verifyRankProgressSchema } from '../core/jobs/verify-rank.ts';
import { verifyRunSchema } from '../core/run.ts';
import { unitItemSchema } from '../core/verify/verify-plan.ts';
import { defineFunction } from './runtime/define-function.ts';
import { vault, work } from './runtime/stores.ts';
import { openVerify } from './runtime/verify-run.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'verify-rank',
  input: z.object({ run: verifyRunSchema, item: unitItemSchema, progress: verifyRankProgressSchema }),
  run: async ({ run, item, progress }, { id, shouldStop }) => {
    const { plan, keys } = await openVerify(run);
    return verifyRank({ vault, versions, work, keys }, { plan, item, progress, invocation: id, shouldStop });
  },
});
