import * as z from 'zod/mini';
import { restoreParts } from '../core/jobs/restore-parts.ts';
import { batchItemSchema, restorePhaseSchema, restoreRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { environment } from './runtime/environment.ts';
import { openRestore, targetOf } from './runtime/restore-run.ts';
import { work } from './runtime/stores.ts';

/** Parts at a time in one Lambda; each holds a stream's buffers, a few hundred kilobytes. */
const PARTS_AT_A_TIME = 48;

export const handler = defineFunction({
  name: 'restore-parts',
  input: z.object({ run: restoreRunSchema, phase: restorePhaseSchema, item: batchItemSchema }),
  run: async ({ run, phase, item }, { shouldStop }) => {
    const { plan, keys } = await openRestore(run);
    const deps = {
      work,
      keys,
      target: targetOf(plan),
      vaultBucket: environment.VAULT_BUCKET,
      concurrency: PARTS_AT_A_TIME,
    };
    return restoreParts(deps, { run, phase, item, shouldStop });
  },
});
