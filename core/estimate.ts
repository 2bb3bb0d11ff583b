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

/** The most a restore may need: every part copied. What is in place already costs less. */
export function estimateRestore(totals: Totals): RestoreEstimate {
  const batches = Math.ceil(totals.parts / BATCH_LIMITS.maxParts);
  const writes = totals.parts + 3 * batches;
  const reads = totals.parts + 6 * batches;
  const minutes = FIXED_MINUTES + totals.parts / COPIES_PER_SECOND / 60;
  return {
    parts: totals.parts,
    bytes: totals.bytes,
    requests: writes + reads,
    minutes: Math.ceil(minutes),
    dollars: Math.round(dollarsOf({ writes, reads, stateTransitions: 4 * batches + 60 }) * 10_000) / 10_000,
  };
}
