import * as z from 'zod/mini';
import { rankNameSchema } from '../core/ids.ts';
import { compareProgressSchema, compareRank } from '../core/jobs/compare-rank.ts';
import { restoreRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRestore, targetOf } from './runtime/restore-run.ts';
import { vault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'compare-rank',
  input: z.object({ run: restoreRunSchema, rank: rankNameSchema, progress: compareProgressSchema }),
  run: async ({ run, rank, progress }, { id, shouldStop }) => {
    const { plan, keys } = await openRestore(run);
    const target = targetOf(plan);
    return compareRank({ work, vault, keys, target }, { plan, rank, progress, invocation: id, shouldStop });
  },
});
