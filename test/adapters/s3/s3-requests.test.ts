import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { openS3Root } from '../../../adapters/roots/open-s3-root.ts';
import { S3RestoreTarget } from '../../../adapters/roots/s3-restore-target.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { S3PartCopier } from '../../../adapters/s3/s3-part-copier.ts';
import type { LivePart } from '../../../core/part.ts';
import { streamOf, variedBytes } from '../../support/byte-streams.ts';
import { InMemoryObjectStore } from '../../support/in-memory-object-store.ts';

const OWNER = '111122223333';
const CRC = 'AAAAAAAAAAA=';
const LOCK = { mode: 'COMPLIANCE', retainUntil: '2027-01-01T00:00:00.000Z' } as const;
const client = new S3Client({ region: 'us-east-1' });
// The one client, not the class: other files share the module.
const s3 = mockClient(client);
const vault = { client, bucket: 'vault', expectedBucketOwner: OWNER, objectLock: LOCK };
const root = openS3Root(
  { name: 'main', url: 's3://source/data', pattern: 'rank-{rank}/tom-{tom}', exclude: [] },
  client,
  '444455556666',
);

afterEach(() => {
  s3.reset();
});

function copierOf(multipartAboveBytes: number): S3PartCopier {
  return new S3PartCopier({
    vault,
    work: new InMemoryObjectStore(),
    roots: [root],
    multipartAboveBytes,
    rangeSizeBytes: 10,
  });
}

function task(part: Partial<LivePart> = {}) {
  return {
    backup: 'nightly',
    snapshot: 'snapshot.2026-11-23.02-00-00',
    rank: 2,
    part: { kind: 'part', path: 'tom-0/a b', root: 'main', sizeBytes: 25, token: 's3:etag1', racy: false, ...part },
    uploadKey: 'uploads/x.json',
    shouldStop: () => false,
  } as const;
}

function inputsOf(name: string): readonly unknown[] {
  return s3.calls().flatMap(({ args: [command] }) => (command.constructor.name === name ? [command.input] : []));
}

const NATURAL_KEY = 'nightly/snapshot.2026-11-23.02-00-00/rank-2/tom-0/a b';

describe('the exact requests of the S3 copier', () => {
  it('copies a part by one pinned, conditional CopyObject with its checksum asked for', async () => {
    s3.on(CopyObjectCommand).resolves({
      VersionId: 'v1',
      CopyObjectResult: { ETag: '"vault1"', ChecksumCRC64NVME: CRC, ChecksumType: 'FULL_OBJECT' },
    });
    const receipt = await copierOf(1_000).copy(task());
    expect(inputsOf('CopyObjectCommand')).toEqual([
      {
        Bucket: 'vault',
        Key: NATURAL_KEY,
        CopySource: 'source/data/rank-2/tom-0/a%20b',
        CopySourceIfMatch: '"etag1"',
        ExpectedSourceBucketOwner: '444455556666',
        ExpectedBucketOwner: OWNER,
        IfNoneMatch: '*',
        ChecksumAlgorithm: 'CRC64NVME',
        MetadataDirective: 'REPLACE',
        Metadata: { 'rankvault-token': 's3:etag1' },
        TaggingDirective: 'REPLACE',
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(LOCK.retainUntil),
      },
    ]);
    expect(s3.calls()).toHaveLength(1);
    expect(receipt).toEqual({
      path: 'tom-0/a b',
      token: 's3:etag1',
      sizeBytes: 25,
      checksum: `CRC64NVME:${CRC}`,
      in: 'snapshot.2026-11-23.02-00-00',
      etag: '"vault1"',
      versionId: 'v1',
    });
  });

  it('pins the version too where the token has one', async () => {
    s3.on(CopyObjectCommand).resolves({
      VersionId: 'v1',
      CopyObjectResult: { ETag: '"vault1"', ChecksumCRC64NVME: CRC, ChecksumType: 'FULL_OBJECT' },
    });
    await copierOf(1_000).copy(task({ token: 's3:etag1:source-version' }));
    expect(inputsOf('CopyObjectCommand')).toMatchObject([
      { CopySource: 'source/data/rank-2/tom-0/a%20b?versionId=source-version', CopySourceIfMatch: '"etag1"' },
    ]);
  });

  it('pins every range of a multipart copy, and asserts the whole checksum and the condition when it completes', async () => {
    s3.on(HeadObjectCommand).rejects(
      Object.assign(new Error('no'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } }),
    );
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
    s3.on(UploadPartCopyCommand).callsFake((input: { PartNumber: number }) => ({
      CopyPartResult: { ETag: `"range${input.PartNumber}"`, ChecksumCRC64NVME: CRC },
    }));
    s3.on(CompleteMultipartUploadCommand).resolves({ ETag: '"vault-3"', VersionId: 'v1' });
    await copierOf(20).copy(task());
    const target = { Bucket: 'vault', Key: NATURAL_KEY, ExpectedBucketOwner: OWNER };
    expect(inputsOf('CreateMultipartUploadCommand')).toEqual([
      {
        ...target,
        Metadata: { 'rankvault-token': 's3:etag1' },
        ChecksumAlgorithm: 'CRC64NVME',
        ChecksumType: 'FULL_OBJECT',
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(LOCK.retainUntil),
      },
    ]);
    expect(inputsOf('UploadPartCopyCommand')).toEqual(
      ['bytes=0-9', 'bytes=10-19', 'bytes=20-24'].map((range, index) => ({
        ...target,
        UploadId: 'u1',
        PartNumber: index + 1,
        CopySourceRange: range,
        CopySource: 'source/data/rank-2/tom-0/a%20b',
        CopySourceIfMatch: '"etag1"',
        ExpectedSourceBucketOwner: '444455556666',
      })),
    );
    expect(inputsOf('CompleteMultipartUploadCommand')).toEqual([
      {
        ...target,
        UploadId: 'u1',
        IfNoneMatch: '*',
        ChecksumType: 'FULL_OBJECT',
        ChecksumCRC64NVME: expect.stringMatching(/^[A-Za-z0-9+/]{11}=$/),
        MpuObjectSize: 25,
        MultipartUpload: {
          Parts: [1, 2, 3].map((number) => ({ PartNumber: number, ETag: `"range${number}"`, ChecksumCRC64NVME: CRC })),
        },
      },
    ]);
    expect(inputsOf('DeleteObjectCommand')).toEqual([]);
  });

  it.each([
    ['InvalidObjectState', 403, 'archived', 'SourceUnreadable'],
    ['InvalidRequest', 400, 'The object was stored using a form of Server Side Encryption.', 'SourceUnreadable'],
    ['NoSuchKey', 404, 'gone', 'PartMissing'],
    ['AccessDenied', 403, 'no', 'S3AccessDenied'],
    ['NoSuchBucket', 404, 'no bucket', 'S3BucketMissing'],
    ['SlowDown', 503, 'slow', 'StoreUnavailable'],
  ])('names what a source answers with %s (%i)', async (name, httpStatusCode, message, expected) => {
    const error = Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
    s3.on(CopyObjectCommand).rejects(error);
    s3.on(HeadObjectCommand).rejects(
      Object.assign(new Error('no'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } }),
    );
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
    s3.on(UploadPartCopyCommand).rejects(error);
    await expect(copierOf(1_000).copy(task())).rejects.toMatchObject({ name: expected });
    await expect(copierOf(20).copy(task())).rejects.toMatchObject({ name: expected });
  });

  it('does not take a CopyObject without a result for a copy', async () => {
    s3.on(CopyObjectCommand).resolves({});
    s3.on(HeadObjectCommand).rejects(
      Object.assign(new Error('no'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } }),
    );
    await expect(copierOf(1_000).copy(task())).rejects.toMatchObject({ name: 'S3RequestFailed' });
  });

  it('refuses a vault without versions', async () => {
    s3.on(CopyObjectCommand).resolves({
      CopyObjectResult: { ETag: '"vault1"', ChecksumCRC64NVME: CRC, ChecksumType: 'FULL_OBJECT' },
    });
    await expect(copierOf(1_000).copy(task())).rejects.toMatchObject({ name: 'ConfigInvalid' });
  });

  it('refuses parts of roots that it does not know', async () => {
    await expect(copierOf(1_000).copy(task({ root: 'other' }))).rejects.toMatchObject({ name: 'ConfigInvalid' });
    await expect(copierOf(1_000).copy(task({ token: 'file:1:2:3:4' }))).rejects.toMatchObject({
      name: 'ConfigInvalid',
    });
    expect(s3.calls()).toHaveLength(0);
  });

  it('throws what ListParts throws, except that the upload is gone', async () => {
    const work = new InMemoryObjectStore();
    const record = {
      formatVersion: 1,
      uploadId: 'u0',
      key: NATURAL_KEY,
      token: 's3:etag1',
      sizeBytes: 25,
      rangeSizeBytes: 10,
    };
    await work.put('uploads/x.json', Buffer.from(JSON.stringify(record)));
    s3.on(HeadObjectCommand).rejects(
      Object.assign(new Error('no'), { name: 'NotFound', $metadata: { httpStatusCode: 404 } }),
    );
    s3.on(ListPartsCommand).rejects(
      Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }),
    );
    const copier = new S3PartCopier({ vault, work, roots: [root], multipartAboveBytes: 20, rangeSizeBytes: 10 });
    await expect(copier.copy(task())).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });
});

describe('the exact requests of the S3 object store', () => {
  const store = new S3ObjectStore(vault);
  const at = { Bucket: 'vault', Key: 'k', ExpectedBucketOwner: OWNER };
  const locked = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(LOCK.retainUntil) };

  it('creates conditionally, locked, with a checksum', async () => {
    s3.on(PutObjectCommand).resolves({});
    await store.create('k', Buffer.from('x'));
    await store.createStream('k', streamOf('x'));
    expect(inputsOf('PutObjectCommand')).toEqual(
      [1, 2].map(() => ({ ...at, ...locked, Body: Buffer.from('x'), ChecksumAlgorithm: 'CRC32', IfNoneMatch: '*' })),
    );
  });

  it('creates large streams conditionally at their completion', async () => {
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
    s3.on(UploadPartCommand).resolves({ ETag: '"p"', ChecksumCRC32: 'AAAAAA==' });
    s3.on(CompleteMultipartUploadCommand).resolves({});
    await store.createStream('k', streamOf(variedBytes(8 * 1024 ** 2 + 1), 3_000_000));
    expect(inputsOf('CreateMultipartUploadCommand')).toEqual([
      { ...at, ...locked, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' },
    ]);
    expect(inputsOf('UploadPartCommand')).toMatchObject(
      [1, 2].map((PartNumber) => ({ PartNumber, ChecksumAlgorithm: 'CRC32' })),
    );
    expect(inputsOf('CompleteMultipartUploadCommand')).toMatchObject([{ ...at, UploadId: 'u1', IfNoneMatch: '*' }]);
  });

  it('replaces and deletes by ETag', async () => {
    s3.on(PutObjectCommand).resolves({});
    s3.on(DeleteObjectCommand).resolves({});
    await store.replace('k', Buffer.from('x'), '"e"');
    await store.deleteIfMatch('k', '"e"');
    expect(inputsOf('PutObjectCommand')).toMatchObject([{ ...at, IfMatch: '"e"' }]);
    expect(inputsOf('DeleteObjectCommand')).toEqual([{ ...at, IfMatch: '"e"' }]);
  });

  it('never takes a refusal for absence', async () => {
    const denied = Object.assign(new Error('no'), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    s3.on(GetObjectCommand).rejects(denied);
    s3.on(HeadObjectCommand).rejects(
      Object.assign(new Error('UnknownError'), { name: '403', $metadata: { httpStatusCode: 403 } }),
    );
    await expect(store.get('k')).rejects.toMatchObject({ name: 'S3AccessDenied' });
    await expect(store.head('k')).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });
});

describe('the exact requests of an S3 restore', () => {
  const line = {
    path: 'tom-0/a b',
    root: 'main',
    sizeBytes: 25,
    token: 's3:etag1',
    in: 'snapshot.2026-11-23.02-00-00',
    etag: '"vault1"',
    versionId: 'v1',
    checksum: `CRC64NVME:${CRC}`,
  } as const;
  const source = { bucket: 'vault', key: NATURAL_KEY, versionId: 'v1' };

  it('copies exactly the recorded version, with the checksum asked for', async () => {
    s3.on(CopyObjectCommand).resolves({
      CopyObjectResult: { ETag: '"x"', ChecksumCRC64NVME: CRC, ChecksumType: 'FULL_OBJECT' },
    });
    await new S3RestoreTarget(root, { vaultOwner: OWNER }).placePart(2, line, source);
    expect(inputsOf('CopyObjectCommand')).toEqual([
      {
        Bucket: 'source',
        Key: 'data/rank-2/tom-0/a b',
        CopySource: 'vault/nightly/snapshot.2026-11-23.02-00-00/rank-2/tom-0/a%20b?versionId=v1',
        ChecksumAlgorithm: 'CRC64NVME',
        MetadataDirective: 'REPLACE',
        TaggingDirective: 'REPLACE',
        ExpectedSourceBucketOwner: OWNER,
        ExpectedBucketOwner: '444455556666',
      },
    ]);
  });

  it('pins every range, and lets S3 make the object only with the recorded checksum', async () => {
    s3.on(ListMultipartUploadsCommand).resolves({});
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
    s3.on(UploadPartCopyCommand).resolves({ CopyPartResult: { ETag: '"r"', ChecksumCRC64NVME: CRC } });
    s3.on(CompleteMultipartUploadCommand).resolves({});
    await new S3RestoreTarget(root, { multipartAboveBytes: 20, rangeSizeBytes: 10 }).placePart(2, line, source);
    const ranges = inputsOf('UploadPartCopyCommand');
    expect(ranges).toHaveLength(3);
    for (const range of ranges) {
      expect(range).toMatchObject({ CopySource: expect.stringMatching(/\?versionId=v1$/) });
    }
    expect(inputsOf('CompleteMultipartUploadCommand')).toMatchObject([
      { ChecksumCRC64NVME: CRC, ChecksumType: 'FULL_OBJECT' },
    ]);
    expect(inputsOf('DeleteObjectCommand')).toEqual([]);
  });
});
