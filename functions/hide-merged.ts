import * as z from 'zod/mini';
import { hideMerged } from '../core/jobs/hide-merged.ts';
import { maintainRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { executions } from './runtime/executions.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { lockedVault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'hide-merged',
  input: z.object({ run: maintainRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openMerge(run);
    const vault = lockedVault(plan.merge.objectLock);
    return hideMerged({ work, vault, versions, keys, clock, executions }, plan);
  },
});
