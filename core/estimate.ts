import { BATCH_LIMITS } from './batching.ts';
import { dollarsOf } from './pricing.ts';
import type { Totals } from './records.ts';

export interface RestoreEstimate {
  readonly parts: number;
  readonly bytes: number;
  readonly requests: number;
  readonly minutes: number;
  readonly dollars: number;
}

/** Copies a second that S3 sustains on one partitioned prefix (S3 user guide, "Best practices design patterns"). */
const COPIES_PER_SECOND = 3500;
/** Start of executions, planning, and the passes that list: what a run takes however small it is. */
const FIXED_MINUTES = 2;

/** Each of five phases may leave one batch of a rank open. */
const PHASES = 5;
/** Requests of one batch: its actions, its windows, the lock, the plan, results of its Map. */
const BATCH_WRITES = 4;
const BATCH_READS = 8;
/** Requests of a comparison of one rank: manifest, digests, listing, what it writes. */
const RANK_WRITES = 8;
const RANK_READS = 12;
/** Planning, inspections, markers, the report. */
const FIXED_WRITES = 30;
const FIXED_READS = 60;

/**
 * The most a restore may need: every part checked and then copied. What is in place already costs less.
 * @param ranks of the snapshot, without the pseudo-rank
 */
export function estimateRestore(totals: Totals, ranks: number): RestoreEstimate {
  const lists = ranks + 1;
  const batches = Math.ceil((totals.parts + totals.directories) / BATCH_LIMITS.maxParts) + PHASES * lists;
  const writes = totals.parts + BATCH_WRITES * batches + RANK_WRITES * lists + FIXED_WRITES;
  const reads = 2 * totals.parts + BATCH_READS * batches + RANK_READS * lists + FIXED_READS;
  const minutes = FIXED_MINUTES + totals.parts / COPIES_PER_SECOND / 60;
  return {
    parts: totals.parts,
    bytes: totals.bytes,
    requests: writes + reads,
    minutes: Math.ceil(minutes),
    dollars: Math.round(dollarsOf({ writes, reads, stateTransitions: 4 * batches + 60 }) * 10_000) / 10_000,
  };
}
