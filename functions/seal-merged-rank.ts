import * as z from 'zod/mini';
import { rankNameSchema } from '../core/ids.ts';
import { sealMergedRank } from '../core/jobs/seal-merged-rank.ts';
import { maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { lockedVault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'seal-merged-rank',
  input: z.object({ run: maintainRunSchema, rank: rankNameSchema }),
  run: async ({ run, rank }) => {
    const { plan, keys } = await openMerge(run);
    return sealMergedRank({ work, vault: lockedVault(plan.merge.objectLock), keys }, plan, rank);
  },
});
