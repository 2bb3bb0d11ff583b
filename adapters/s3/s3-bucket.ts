import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectLock } from './object-lock.ts';

/** A bucket and how to talk to it. */
export interface S3Bucket {
  readonly client: S3Client;
  readonly bucket: string;
  /** Account number. @default - not checked */
  readonly expectedBucketOwner?: string;
}

/** The vault's bucket: versioned, write-once. */
export interface VaultBucket extends S3Bucket {
  /** @default - objects are not locked */
  readonly objectLock?: ObjectLock;
}
