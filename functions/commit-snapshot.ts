import * as z from 'zod/mini';
import { commitSnapshot } from '../core/jobs/commit-snapshot.ts';
import { snapshotRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRun } from './runtime/snapshot-run.ts';
import { lockedVault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'commit-snapshot',
  input: z.object({ run: snapshotRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openRun(run);
    const record = await commitSnapshot({ work, vault: lockedVault(plan.objectLock), keys, clock }, plan);
    const { backup, snapshot, id, type, reason, base, takenAt, totals } = record;
    return { backup, snapshot, id, type, reason, ...(base === undefined ? {} : { base }), takenAt, totals };
  },
});
