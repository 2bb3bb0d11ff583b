import * as z from 'zod/mini';
import { VaultPartCopier } from '../adapters/s3/vault-part-copier.ts';
import { mergeParts } from '../core/jobs/merge-parts.ts';
import { batchItemSchema, maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openMerge } from './runtime/maintain-run.ts';
import { vaultBucket, work } from './runtime/stores.ts';

/** Copies at a time in one Lambda: no byte passes through it, each copy waits for S3. */
const COPIES_AT_A_TIME = 64;

export const handler = defineFunction({
  name: 'merge-parts',
  input: z.object({ run: maintainRunSchema, item: batchItemSchema }),
  run: async ({ run, item }, { shouldStop }) => {
    const { plan, keys } = await openMerge(run);
    const copier = new VaultPartCopier({ vault: vaultBucket(plan.merge.objectLock), work });
    const { backup, snapshot } = plan.merge;
    return mergeParts(
      { work, keys, copier, concurrency: COPIES_AT_A_TIME },
      { run: { backup, snapshot }, item, shouldStop },
    );
  },
});
