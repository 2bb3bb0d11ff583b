import * as z from 'zod/mini';
import { rankNameSchema } from '../core/ids.ts';
import { mergeRank, mergeRankProgressSchema } from '../core/jobs/merge-rank.ts';
import { maintainRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'merge-rank',
  input: z.object({ run: maintainRunSchema, rank: rankNameSchema, progress: mergeRankProgressSchema }),
  run: async ({ run, rank, progress }, { id, shouldStop }) => {
    const { plan, keys } = await openMerge(run);
    return mergeRank({ work, vault, keys, clock }, { plan, rank, progress, invocation: id, shouldStop });
  },
});
