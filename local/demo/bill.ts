import { dollarsOf } from '../../core/pricing.ts';
import type { CounterSnapshot } from '../s3/control/counters.ts';
import type { Operation } from '../s3/protocol/operations.ts';

type Price = 'write' | 'read' | 'free';

/**
 * What a request costs (S3 pricing): PUT, COPY, POST and LIST as a write, DELETE and the end of an upload nothing, all others as a read.
 * DeleteObjects is sent as a POST and counts as a DELETE (S3 user guide, "Metrics and dimensions": DeleteRequests).
 */
const PRICES: Readonly<Record<Operation, Price>> = {
  ListBuckets: 'write',
  CreateBucket: 'write',
  HeadBucket: 'read',
  DeleteBucket: 'free',
  GetBucketVersioning: 'read',
  PutBucketVersioning: 'write',
  GetObjectLockConfiguration: 'read',
  PutObjectLockConfiguration: 'write',
  ListObjectsV2: 'write',
  ListObjectVersions: 'write',
  ListMultipartUploads: 'write',
  DeleteObjects: 'free',
  PutObject: 'write',
  CopyObject: 'write',
  GetObject: 'read',
  HeadObject: 'read',
  DeleteObject: 'free',
  CreateMultipartUpload: 'write',
  UploadPart: 'write',
  UploadPartCopy: 'write',
  ListParts: 'write',
  CompleteMultipartUpload: 'write',
  AbortMultipartUpload: 'free',
  GetObjectRetention: 'read',
  PutObjectRetention: 'write',
  GetObjectLegalHold: 'read',
  PutObjectLegalHold: 'write',
};
const PRICE_BY_NAME: ReadonlyMap<string, Price> = new Map(Object.entries(PRICES));

export interface Bill {
  readonly writes: number;
  readonly reads: number;
  readonly stateTransitions: number;
  readonly dollars: number;
}

/** @param snapshot counted since the run began; the samples' own requests are left out */
export function billOf(snapshot: CounterSnapshot, stateTransitions: number): Bill {
  const counted: Record<Price, number> = { write: 0, read: 0, free: 0 };
  for (const [caller, counts] of Object.entries(snapshot.byCaller)) {
    for (const [operation, { requests }] of caller === 'sample' ? [] : Object.entries(counts.byOperation)) {
      counted[PRICE_BY_NAME.get(operation) ?? 'read'] += requests;
    }
  }
  const { write: writes, read: reads } = counted;
  return { writes, reads, stateTransitions, dollars: dollarsOf({ writes, reads, stateTransitions }) };
}
