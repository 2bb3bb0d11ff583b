/** Object Lock of everything that a run writes into the vault; set per object, because the bucket has no default. */
export interface ObjectLock {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  /** ISO 8601, UTC. */
  readonly retainUntil: string;
}

export interface ObjectLockHeaders {
  readonly ObjectLockMode: ObjectLock['mode'];
  readonly ObjectLockRetainUntilDate: Date;
}

/** Fields of PutObject, CopyObject and CreateMultipartUpload; none without a lock. */
export function lockHeaders(lock: ObjectLock | undefined): ObjectLockHeaders | Record<never, never> {
  return lock === undefined ? {} : { ObjectLockMode: lock.mode, ObjectLockRetainUntilDate: new Date(lock.retainUntil) };
}

/** Fields that make S3 refuse a bucket of another account (a name that was freed and taken by somebody else). */
export function ownerHeaders(owner: string | undefined): { readonly ExpectedBucketOwner?: string } {
  return owner === undefined ? {} : { ExpectedBucketOwner: owner };
}
