import * as z from 'zod/mini';
import { rankNameSchema } from '../core/ids.ts';
import { verifyMergedProgressSchema, verifyMergedRank } from '../core/jobs/verify-merged-rank.ts';
import { maintainRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'verify-merged-rank',
  input: z.object({ run: maintainRunSchema, rank: rankNameSchema, progress: verifyMergedProgressSchema }),
  run: async ({ run, rank, progress }, { shouldStop }) => {
    const { plan, keys } = await openMerge(run);
    return verifyMergedRank({ vault, versions, work, keys, clock }, { plan, rank, progress, shouldStop });
  },
});
