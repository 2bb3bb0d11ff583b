import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type PutObjectCommandOutput,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { type LocalS3, startLocalS3 } from '../../../local/s3/local-s3.ts';

/** An S3 that the contract is held against, and what the tests do with it again and again. */
class Subject {
  readonly client: S3Client;
  readonly #buckets: string[] = [];

  constructor(client: S3Client) {
    this.client = client;
  }

  /** A bucket of its own for one test. */
  async bucket(kind: 'unversioned' | 'versioned' | 'locking' = 'unversioned'): Promise<string> {
    const Bucket = `rankvault-contract-${randomBytes(8).toString('hex')}`;
    this.#buckets.push(Bucket);
    await this.client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: kind === 'locking' }));
    if (kind === 'versioned') {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await this.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    }
    return Bucket;
  }

  put(
    Bucket: string,
    Key: string,
    Body: string | Uint8Array = 'content',
    more: Partial<PutObjectCommandInput> = {},
  ): Promise<PutObjectCommandOutput> {
    return this.client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  }

  async read(Bucket: string, Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<Buffer> {
    const { Body } = await this.client.send(new GetObjectCommand({ Bucket, Key, ...more }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  async text(Bucket: string, Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<string> {
    return (await this.read(Bucket, Key, more)).toString('utf8');
  }

  /** A client of the same endpoint that sends no checksums of its own accord; destroy it after use. */
  withoutChecksums(): S3Client {
    const { endpoint, region: where, credentials } = this.client.config;
    return new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      region: where,
      credentials,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  }

  /** Leaves nothing behind at an endpoint that is not ours. */
  async removeBuckets(): Promise<void> {
    for (const Bucket of this.#buckets) {
      let page: ListObjectVersionsCommandOutput | undefined;
      do {
        const markers = { KeyMarker: page?.NextKeyMarker, VersionIdMarker: page?.NextVersionIdMarker };
        page = await this.client.send(new ListObjectVersionsCommand({ Bucket, ...markers }));
        const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
          Key,
          VersionId,
        }));
        if (Objects.length === 0) break;
        const Delete = { Objects };
        await this.client.send(new DeleteObjectsCommand({ Bucket, Delete, BypassGovernanceRetention: true }));
      } while (page.IsTruncated);
      await this.client.send(new DeleteBucketCommand({ Bucket }));
    }
  }
}

const { AWS_REGION: region = 'us-east-1', S3_CONTRACT_ENDPOINT: remoteEndpoint } = process.env;

/**
 * One part of the contract: run against the local S3, and against S3_CONTRACT_ENDPOINT too when that is set
 * (credentials from the environment). What is asserted here holds for S3 itself.
 */
export function s3Contract(name: string, define: (s3: () => Subject) => void): void {
  describe(`local S3: ${name}`, () => {
    let server: LocalS3 | undefined;
    let subject: Subject | undefined;
    const directory = mkdtempSync(join(tmpdir(), 'rankvault-s3-contract-'));
    beforeAll(async () => {
      server = await startLocalS3({ directory });
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      subject = new Subject(new S3Client({ endpoint: server.endpoint, region, forcePathStyle: true, credentials }));
    });
    afterAll(async () => {
      subject?.client.destroy();
      await server?.close();
      rmSync(directory, { recursive: true });
    });
    define(() => required(subject));
  });
  if (remoteEndpoint === undefined) return;
  describe(`${remoteEndpoint}: ${name}`, () => {
    const client = new S3Client({ endpoint: remoteEndpoint, region, forcePathStyle: true });
    const subject = new Subject(client);
    afterAll(async () => {
      await subject.removeBuckets();
      client.destroy();
    });
    define(() => subject);
  });
}

/** The value of something that a correct answer has. */
export function required<Value>(value: Value | null | undefined): Value {
  if (value === undefined || value === null) throw new Error('The answer lacks something that it must have.');
  return value;
}

/** The S3 error a request fails with, as `404 NoSuchKey`; HEAD and 304 have no body, so no code: `404`. */
export async function failureOf(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode ?? 0;
    const hasCode = !['NotFound', 'Unknown', 'UnknownError', 'NotModified', `${status}`].includes(error.name);
    return hasCode ? `${status} ${error.name}` : `${status}`;
  }
  return 'no failure';
}

/** `crc` of the bytes in the base64 form of S3's headers. */
export function base64Of(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString('base64');
}

/** Bytes that do not repeat within a part, so that exchanged or shifted parts are noticed. */
export function patterned(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let offset = 0; offset + 4 <= sizeBytes; offset += 4) {
    bytes.writeUInt32LE(Math.imul(offset + seed, 2_654_435_761) >>> 0, offset);
  }
  return bytes;
}
