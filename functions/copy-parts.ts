import * as z from 'zod/mini';
import { openCopier } from '../adapters/roots/open-cluster.ts';
import { copyParts } from '../core/jobs/copy-parts.ts';
import { batchItemSchema, passSchema, snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { access, openPass } from './runtime/snapshot-run.ts';
import { vaultBucket, work } from './runtime/stores.ts';

/** Copies at a time in one Lambda: each waits for S3 most of its time; streamed parts share a bounded pool of buffers. */
const COPIES_AT_A_TIME = 64;

export const handler = defineFunction({
  name: 'copy-parts',
  input: z.object({ run: snapshotRunSchema, pass: passSchema, item: batchItemSchema }),
  run: async ({ run, pass, item }, { shouldStop }) => {
    const { plan, keys, roots } = await openPass(run, pass);
    const copier = openCopier(access, roots, { vault: vaultBucket(plan.objectLock), work });
    return copyParts({ work, keys, copier, concurrency: COPIES_AT_A_TIME }, { run, pass, item, shouldStop });
  },
});
