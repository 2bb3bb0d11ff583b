import { dollarsOf } from '../../core/pricing.ts';
import type { CounterSnapshot } from '../s3/control/counters.ts';

/** Requests that cost what a PUT costs (S3 pricing: PUT, COPY, POST, LIST). DELETE and AbortMultipartUpload are free. */
const WRITES = new Set([
  'PutObject',
  'CopyObject',
  'ListObjectsV2',
  'ListObjectVersions',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'CompleteMultipartUpload',
  'ListParts',
  'ListMultipartUploads',
]);
const FREE = new Set(['DeleteObject', 'DeleteObjects', 'AbortMultipartUpload']);

export interface Bill {
  readonly writes: number;
  readonly reads: number;
  readonly stateTransitions: number;
  readonly dollars: number;
}

/** @param snapshot counted since the run began; the samples' own requests are left out */
export function billOf(snapshot: CounterSnapshot, stateTransitions: number): Bill {
  let writes = 0;
  let reads = 0;
  for (const [caller, counts] of Object.entries(snapshot.byCaller)) {
    for (const [operation, { requests }] of caller === 'sample' ? [] : Object.entries(counts.byOperation)) {
      writes += WRITES.has(operation) ? requests : 0;
      reads += WRITES.has(operation) || FREE.has(operation) ? 0 : requests;
    }
  }
  return { writes, reads, stateTransitions, dollars: dollarsOf({ writes, reads, stateTransitions }) };
}
