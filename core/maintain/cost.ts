import { dollarsOf } from '../pricing.ts';
import { type MergeWork, requestsOfMerge } from './merge-work.ts';
import { DELETED_AT_ONCE } from './records-removal.ts';
import { REMOVALS_PER_BATCH } from './removals.ts';
import type { MaintenanceReport } from './report.ts';
import type { SurveyTotals } from './survey.ts';

/** One page of ListObjectVersions (S3 API reference). */
const LISTED_AT_ONCE = 1000;
/** Locks, catalog, plan, report. */
const FIXED_WRITES = 30;
const FIXED_READS = 60;
const FIXED_TRANSITIONS = 15;
/** Of a unit: its listing, its record; its child execution; the record read back. */
const UNIT_WRITES = 2;
const UNIT_READS = 3;
const UNIT_TRANSITIONS = 4;
/** Of a batch: its lines, its result, the look at the freeze. */
const BATCH_WRITES = 2;
const BATCH_READS = 4;
const BATCH_TRANSITIONS = 4;

const DAYS_PER_MONTH = 30;
const NO_MERGE = { writes: 0, reads: 0, stateTransitions: 0 };

/** S3 Standard, the first 50 TB, us-east-1, per GiB and month (aws.amazon.com/s3/pricing). */
const DOLLARS_PER_GIB_MONTH = 0.023;

/** From what was surveyed, so that a dry run says what the run would cost. DELETE requests are free of charge. */
export function costOf(work: {
  readonly units: number;
  readonly hidden: number;
  readonly totals: SurveyTotals;
  readonly frees: { readonly parts: number; readonly bytes: number };
  readonly merge?: MergeWork | undefined;
}): MaintenanceReport['cost'] {
  const { units, hidden, totals, frees, merge } = work;
  const merging = merge === undefined ? NO_MERGE : requestsOfMerge(merge);
  const removed = totals.freeParts + totals.catalogObjects + totals.markers;
  const batches = Math.ceil(removed / REMOVALS_PER_BATCH);
  const deletes = Math.ceil(removed / DELETED_AT_ONCE);
  const lists = Math.ceil(totals.listed / LISTED_AT_ONCE);
  const writes = merging.writes + FIXED_WRITES + hidden + units * UNIT_WRITES + lists + batches * BATCH_WRITES;
  const reads = merging.reads + FIXED_READS + units * UNIT_READS + 2 * totals.manifests + batches * BATCH_READS;
  const stateTransitions =
    merging.stateTransitions + FIXED_TRANSITIONS + units * UNIT_TRANSITIONS + batches * BATCH_TRANSITIONS;
  return {
    requests: writes + reads + deletes,
    stateTransitions,
    dollars: rounded(dollarsOf({ writes, reads, stateTransitions })),
    dollarsSavedPerMonth: rounded(monthly(frees.bytes)),
    ...(merge === undefined
      ? {}
      : { dollarsKeptTwice: rounded((monthly(merge.bytes) * merge.undeleteDays) / DAYS_PER_MONTH) }),
  };
}

function monthly(bytes: number): number {
  return (bytes / 1024 ** 3) * DOLLARS_PER_GIB_MONTH;
}

function rounded(dollars: number): number {
  return Math.round(dollars * 10_000) / 10_000;
}
