import * as z from 'zod/mini';
import { rankNameSchema } from '../core/ids.ts';
import { sealRank } from '../core/jobs/seal-rank.ts';
import { snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRun } from './runtime/snapshot-run.ts';
import { lockedVault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'seal-rank',
  input: z.object({ run: snapshotRunSchema, rank: rankNameSchema }),
  run: async ({ run, rank }) => {
    const { plan, keys } = await openRun(run);
    await sealRank({ work, vault: lockedVault(plan.objectLock), keys }, plan, rank);
    return { done: true };
  },
});
