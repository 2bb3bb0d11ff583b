import * as z from 'zod/mini';
import { commitMerged } from '../core/jobs/commit-merged.ts';
import { maintainRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { executions } from './runtime/executions.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { lockedVault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'commit-merged',
  input: z.object({ run: maintainRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openMerge(run);
    return commitMerged({ work, vault: lockedVault(plan.merge.objectLock), keys, clock, executions }, plan);
  },
});
