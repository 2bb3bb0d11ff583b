import * as z from 'zod/mini';
import { BATCH_LIMITS, WINDOW_LIMITS } from '../batching.ts';
import { readRanks } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { PricedRequests } from '../pricing.ts';
import type { Totals } from '../records.ts';
import type { MergePlan } from './merge-plan.ts';

const count = z.int().check(z.nonnegative());

/** What a merge has to copy. */
export const mergeWorkSchema = z.object({
  parts: count,
  bytes: count,
  ranks: count,
  batches: count,
  /** At most: sizes of single parts are in the manifests, which the plan does not read. */
  ranges: count,
  uploads: count,
  /** So long the sources lie beside the new full. */
  undeleteDays: count,
});
export type MergeWork = z.infer<typeof mergeWorkSchema>;

/** As the copier does: parts above 1 GiB in ranges of 128 MiB (adapters/s3/copy-ranges). */
const IN_RANGES_ABOVE_BYTES = 1024 ** 3;
const RANGE_SIZE_BYTES = 128 * 1024 ** 2;

/** Of an upload in ranges: creation, completion, its record in the work bucket. */
const UPLOAD_WRITES = 3;
/** Of a batch: its lines. */
const BATCH_WRITES = 1;
/** Lines, receipts of earlier tries. */
const BATCH_READS = 3;
const BATCH_TRANSITIONS = 5;
/** Of a rank: draft, enumeration, manifest, seal, record of the verification. */
const RANK_WRITES = 8;
const RANK_READS = 12;
/** Listing, seal, verification: a child execution each. */
const RANK_TRANSITIONS = 13;
/** Claim, hold, both locks, ranks, definition, record. */
const FIXED_WRITES = 20;
const FIXED_READS = 20;
const FIXED_TRANSITIONS = 12;
/** The verification lists every part (S3 API reference: 1,000 versions a page). */
const LISTED_AT_ONCE = 1000;

/** From the totals of the ranks of the source, so that a dry run and the run say the same. */
export async function mergeWorkOf(vault: ObjectStore, merge: MergePlan): Promise<MergeWork> {
  const work = { parts: 0, bytes: 0, ranks: 0, batches: 0, ranges: 0, uploads: 0, undeleteDays: merge.undeleteDays };
  for await (const { totals } of readRanks(vault, merge.backup, merge.source)) {
    const { parts, bytes } = totals;
    work.parts += parts;
    work.bytes += bytes;
    work.ranks += 1;
    work.batches += batchesOf(totals);
    work.uploads += Math.floor(bytes / IN_RANGES_ABOVE_BYTES);
    work.ranges += bytes > IN_RANGES_ABOVE_BYTES ? Math.ceil(bytes / RANGE_SIZE_BYTES) : 0;
  }
  return work;
}

function batchesOf({ parts, bytes }: Pick<Totals, 'parts' | 'bytes'>): number {
  return Math.max(Math.ceil(parts / BATCH_LIMITS.maxParts), Math.ceil(bytes / BATCH_LIMITS.maxBytes));
}

export function requestsOfMerge(work: MergeWork): PricedRequests {
  const { parts, ranks, batches, ranges, uploads } = work;
  const receipts = batches + Math.ceil(parts / WINDOW_LIMITS.maxParts);
  const lists = ranks + Math.ceil(parts / LISTED_AT_ONCE);
  const copies = parts + ranges + uploads * UPLOAD_WRITES;
  return {
    writes: FIXED_WRITES + ranks * RANK_WRITES + batches * BATCH_WRITES + receipts + lists + copies,
    reads: FIXED_READS + ranks * RANK_READS + batches * BATCH_READS + receipts,
    stateTransitions: FIXED_TRANSITIONS + ranks * RANK_TRANSITIONS + batches * BATCH_TRANSITIONS,
  };
}
