import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { createS3Client } from '../../adapters/s3/s3-client.ts';
import { type LocalS3, startLocalS3 } from '../../local/s3/local-s3.ts';

/** Credentials that the local S3 does not look at. */
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface S3Fixture {
  readonly s3: LocalS3;
  readonly client: S3Client;
  /** Makes a bucket of this test's own. @returns its name */
  newBucket(options?: { readonly versioned?: boolean; readonly objectLock?: boolean }): Promise<string>;
}

/** A local S3 for the tests of a file; started before the first and closed after the last. */
export function useLocalS3(): S3Fixture {
  const held: { s3?: LocalS3; client?: S3Client; directory?: string } = {};
  let buckets = 0;
  beforeAll(async () => {
    held.directory = await mkdtemp(join(tmpdir(), 'rankvault-s3-'));
    held.s3 = await startLocalS3({ directory: held.directory });
    held.client = localClient(held.s3.endpoint);
  });
  afterAll(async () => {
    held.client?.destroy();
    await held.s3?.close();
    if (held.directory !== undefined) {
      await rm(held.directory, { recursive: true, force: true });
    }
  });
  return {
    get s3() {
      return present(held.s3);
    },
    get client() {
      return present(held.client);
    },
    async newBucket(options = {}) {
      buckets += 1;
      const bucket = `bucket-${buckets}`;
      const client = present(held.client);
      await client.send(
        new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: options.objectLock === true }),
      );
      if (options.versioned === true && options.objectLock !== true) {
        await client.send(
          new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
        );
      }
      return bucket;
    },
  };
}

/** The product's own client, with few retries: tests inject faults. */
export function localClient(endpoint: string, maxAttempts = 3): S3Client {
  return createS3Client({ caller: 'test', endpoint, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts });
}

/** The client of a reader that judges the bytes itself. */
export function readingClient(endpoint: string): S3Client {
  return createS3Client({
    caller: 'test',
    endpoint,
    region: 'us-east-1',
    credentials: CREDENTIALS,
    maxAttempts: 3,
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new Error('The local S3 runs only while tests run: use the fixture inside of a test or hook.');
  }
  return value;
}
