import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, it } from 'vitest';
import { S3PartReader } from '../../../adapters/s3/s3-part-reader.ts';
import { S3VaultVersions } from '../../../adapters/s3/s3-vault-versions.ts';
import { VaultPartCopier } from '../../../adapters/s3/vault-part-copier.ts';
import type { Checksum } from '../../../core/checksum.ts';
import { collect } from '../../support/byte-streams.ts';
import { FixedClock } from '../../support/fixed-clock.ts';
import { InMemoryObjectStore } from '../../support/in-memory-object-store.ts';

const OWNER = '111122223333';
const LOCK = { mode: 'COMPLIANCE', retainUntil: '2027-01-01T00:00:00.000Z' } as const;
const client = new S3Client({ region: 'us-east-1' });
// The one client, not the class: other files share the module.
const s3 = mockClient(client);
const clock = new FixedClock();
const vault = { client, bucket: 'vault', expectedBucketOwner: OWNER };
const versions = new S3VaultVersions(vault, clock);
const AT = { Bucket: 'vault', ExpectedBucketOwner: OWNER };

afterEach(() => {
  s3.reset();
});

function inputsOf(name: string): readonly unknown[] {
  return s3.calls().flatMap(({ args: [command] }) => (command.constructor.name === name ? [command.input] : []));
}

function sdkError(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } });
}

describe('the exact requests of listings', () => {
  it('go on at both markers, and put versions and delete markers of a page together', async () => {
    const old = new Date(1_000_000);
    const young = new Date(2_000_000);
    s3.on(ListObjectVersionsCommand)
      .resolvesOnce({
        Versions: [
          { Key: 'p/a', VersionId: 'a2', IsLatest: false, LastModified: young, Size: 2, ETag: '"2"' },
          { Key: 'p/a', VersionId: 'a1', IsLatest: false, LastModified: old, Size: 1, ETag: '"1"' },
          { Key: 'p/b', VersionId: 'b1', IsLatest: true, LastModified: old, Size: 1, StorageClass: 'STANDARD' },
        ],
        DeleteMarkers: [
          { Key: 'p/Z', VersionId: 'z1', IsLatest: true, LastModified: old },
          // Of the same second as the version below it: what is current decides.
          { Key: 'p/a', VersionId: 'a3', IsLatest: true, LastModified: young },
        ],
        IsTruncated: true,
        NextKeyMarker: 'p/b',
        NextVersionIdMarker: 'b1',
      })
      .resolvesOnce({ Versions: [{ Key: 'p/b', VersionId: 'b0', IsLatest: false }], IsTruncated: false });
    const listed = await collect(versions.listVersions('p/', 'p/A'));
    expect(listed.map(({ versionId }) => versionId)).toEqual(['z1', 'a3', 'a2', 'a1', 'b1', 'b0']);
    expect(listed[4]).toEqual({
      key: 'p/b',
      versionId: 'b1',
      kind: 'version',
      isLatest: true,
      sizeBytes: 1,
      etag: '',
      storageClass: 'STANDARD',
      modifiedAtEpochMillis: 1_000_000,
    });
    expect(inputsOf('ListObjectVersionsCommand')).toEqual([
      { ...AT, Prefix: 'p/', KeyMarker: 'p/A' },
      { ...AT, Prefix: 'p/', KeyMarker: 'p/b', VersionIdMarker: 'b1' },
    ]);
  });

  it('ask for directories by the delimiter, and go on at a common prefix', async () => {
    s3.on(ListObjectVersionsCommand)
      .resolvesOnce({ CommonPrefixes: [{ Prefix: 'n/one/' }], IsTruncated: true, NextKeyMarker: 'n/one/' })
      .resolvesOnce({ CommonPrefixes: [{ Prefix: 'n/two/' }] });
    expect(await collect(versions.listDirectories('n/'))).toEqual(['one', 'two']);
    expect(inputsOf('ListObjectVersionsCommand')).toEqual([
      { ...AT, Prefix: 'n/', Delimiter: '/' },
      { ...AT, Prefix: 'n/', Delimiter: '/', KeyMarker: 'n/one/' },
    ]);
  });

  it('of uploads go on at both markers', async () => {
    const upload = { Key: 'u/a', UploadId: 'u1', Initiated: new Date(5_000) };
    s3.on(ListMultipartUploadsCommand)
      .resolvesOnce({ Uploads: [upload], IsTruncated: true, NextKeyMarker: 'u/a', NextUploadIdMarker: 'u1' })
      .resolvesOnce({ Uploads: [{ ...upload, UploadId: 'u2' }] });
    expect(await collect(versions.listUploads('u/'))).toEqual([
      { key: 'u/a', uploadId: 'u1', initiatedAtEpochMillis: 5_000 },
      { key: 'u/a', uploadId: 'u2', initiatedAtEpochMillis: 5_000 },
    ]);
    expect(inputsOf('ListMultipartUploadsCommand')).toEqual([
      { ...AT, Prefix: 'u/' },
      { ...AT, Prefix: 'u/', KeyMarker: 'u/a', UploadIdMarker: 'u1' },
    ]);
  });

  it('fail rather than end when an answer is cut and says not where', async () => {
    s3.on(ListObjectVersionsCommand).resolves({ Versions: [], IsTruncated: true });
    await expect(collect(versions.listVersions('p/'))).rejects.toMatchObject({ name: 'S3RequestFailed' });
    s3.on(ListMultipartUploadsCommand).resolves({ IsTruncated: true });
    await expect(collect(versions.listUploads('p/'))).rejects.toMatchObject({ name: 'S3RequestFailed' });
  });

  it('fail by name', async () => {
    s3.on(ListObjectVersionsCommand).rejects(sdkError('AccessDenied', 403));
    await expect(collect(versions.listVersions('p/'))).rejects.toMatchObject({ name: 'S3AccessDenied' });
    s3.on(ListMultipartUploadsCommand).rejects(sdkError('SlowDown', 503));
    await expect(collect(versions.listUploads('p/'))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });
});

describe('the exact requests of deletions', () => {
  const one = { key: 'k', versionId: 'v1' };
  const two = { key: 'k', versionId: 'v2' };
  const entryError = ({ key, versionId }: typeof one, Code: string) => ({ Key: key, VersionId: versionId, Code });

  it('are one quiet DeleteObjects by version', async () => {
    s3.on(DeleteObjectsCommand).resolves({});
    expect(await versions.deleteVersions([one, two])).toEqual([]);
    const Objects = [
      { Key: 'k', VersionId: 'v1' },
      { Key: 'k', VersionId: 'v2' },
    ];
    expect(inputsOf('DeleteObjectsCommand')).toEqual([{ ...AT, Delete: { Objects, Quiet: true } }]);
  });

  it('send again only what S3 could not delete just now, and take what is gone for deleted', async () => {
    s3.on(DeleteObjectsCommand)
      .resolvesOnce({ Errors: [entryError(two, 'InternalError'), entryError(one, 'NoSuchVersion')] })
      .resolvesOnce({ Errors: [entryError(two, 'SlowDown')] })
      .resolvesOnce({});
    expect(await versions.deleteVersions([one, two])).toEqual([]);
    const Delete = { Objects: [{ Key: 'k', VersionId: 'v2' }], Quiet: true };
    expect(inputsOf('DeleteObjectsCommand').slice(1)).toEqual([
      { ...AT, Delete },
      { ...AT, Delete },
    ]);
  });

  it('give up as transient when S3 does not get better', async () => {
    s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'InternalError')] });
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({ name: 'StoreUnavailable' });
    expect(inputsOf('DeleteObjectsCommand')).toHaveLength(6);
  });

  it('fail by name for an error that is of another kind', async () => {
    s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'InvalidArgument')] });
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({ name: 'S3RequestFailed', message: /v1 of/ });
    s3.on(DeleteObjectsCommand).rejects(sdkError('AccessDenied', 403));
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });

  it.each([1, -60_000])(
    'look at a refused version to learn its lock, which ends in %i ms by our clock',
    async (left) => {
      const until = new Date(clock.nowEpochMillis() + left);
      s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'AccessDenied')] });
      s3.on(HeadObjectCommand).resolves({ ObjectLockRetainUntilDate: until });
      expect(await versions.deleteVersions([one, two])).toEqual([{ ...one, lockedUntilEpochMillis: until.getTime() }]);
      expect(inputsOf('HeadObjectCommand')).toEqual([{ ...AT, Key: 'k', VersionId: 'v1' }]);
    },
  );

  it.each([
    ['no lock', {}],
    ['a lock that has run out', { ObjectLockRetainUntilDate: new Date(clock.nowEpochMillis() - 300_000) }],
    ['a hold that is off', { ObjectLockLegalHoldStatus: 'OFF' } as const],
  ])('are denied, naming the permissions, when the refused version shows %s', async (_what, head) => {
    s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'AccessDenied')] });
    s3.on(HeadObjectCommand).resolves(head);
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({
      name: 'S3AccessDenied',
      hint: /s3:DeleteObjectVersion.*s3:GetObjectRetention.*s3:GetObjectLegalHold/,
    });
  });

  it('are denied when a delete marker is refused, which no lock can protect', async () => {
    s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'AccessDenied')] });
    s3.on(HeadObjectCommand).rejects(sdkError('405', 405));
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });

  it('take a version that was refused and is gone now for deleted, and pass other failures of the look on', async () => {
    s3.on(DeleteObjectsCommand).resolves({ Errors: [entryError(one, 'AccessDenied')] });
    s3.on(HeadObjectCommand).rejects(sdkError('NotFound', 404));
    expect(await versions.deleteVersions([one])).toEqual([]);
    s3.on(HeadObjectCommand).rejects(sdkError('InternalError', 500));
    await expect(versions.deleteVersions([one])).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  it('hide by a DeleteObject without a version', async () => {
    s3.on(DeleteObjectCommand).resolves({});
    await versions.hide('k');
    expect(inputsOf('DeleteObjectCommand')).toEqual([{ ...AT, Key: 'k' }]);
    s3.on(DeleteObjectCommand).rejects(sdkError('AccessDenied', 403));
    await expect(versions.hide('k')).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });

  it('abort an upload, and mind only other failures than that it is gone', async () => {
    s3.on(AbortMultipartUploadCommand).rejects(sdkError('NoSuchUpload', 404));
    await versions.abortUpload({ key: 'k', uploadId: 'u1' });
    expect(inputsOf('AbortMultipartUploadCommand')).toEqual([{ ...AT, Key: 'k', UploadId: 'u1' }]);
    s3.on(AbortMultipartUploadCommand).rejects(sdkError('AccessDenied', 403));
    await expect(versions.abortUpload({ key: 'k', uploadId: 'u1' })).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });
});

describe('the exact requests of the part reader', () => {
  it('are one GetObject of the version', async () => {
    s3.on(GetObjectCommand).resolves({ ContentLength: 0, ObjectLockRetainUntilDate: new Date(7_000) });
    const read = await new S3PartReader(vault).read({ key: 'k', versionId: 'v1' }, 'CRC32');
    expect(read).toEqual({ sizeBytes: 0, checksum: 'CRC32:AAAAAA==', lockedUntilEpochMillis: 7_000 });
    expect(inputsOf('GetObjectCommand')).toEqual([{ ...AT, Key: 'k', VersionId: 'v1' }]);
  });

  it('are never absence when they are denied', async () => {
    s3.on(GetObjectCommand).rejects(sdkError('AccessDenied', 403));
    const read = new S3PartReader(vault).read({ key: 'k', versionId: 'v1' }, 'CRC32');
    await expect(read).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });
});

describe('the exact requests of the copier of stored parts', () => {
  const CRC32 = 'AAAAAA==';
  const SOURCE = 'vault/nightly/snapshot.2026-11-23.02-00-00/rank-2/tom-0/a%20b?versionId=v%2F1';
  const target = { ...AT, Key: 'nightly/snapshot.2026-11-30.02-00-00/rank-2/tom-0/a b' };
  const created = {
    ...target,
    Metadata: { 'rankvault-token': 's3:etag1' },
    ChecksumAlgorithm: 'CRC32',
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: new Date(LOCK.retainUntil),
  };

  function copy(multipartAboveBytes: number) {
    const work = new InMemoryObjectStore();
    const copier = new VaultPartCopier({
      vault: { ...vault, objectLock: LOCK },
      work,
      multipartAboveBytes,
      rangeSizeBytes: 10,
    });
    const checksum: Checksum = `CRC32:${CRC32}`;
    return copier.copy({
      backup: 'nightly',
      snapshot: 'snapshot.2026-11-30.02-00-00',
      rank: 2,
      part: { kind: 'part', path: 'tom-0/a b', root: 'main', sizeBytes: 15, token: 's3:etag1', racy: false },
      stored: { sizeBytes: 15, checksum, in: 'snapshot.2026-11-23.02-00-00', etag: '"old"', versionId: 'v/1' },
      uploadKey: 'uploads/x.json',
      shouldStop: () => false,
    });
  }

  it('are one conditional CopyObject of the version, with the recorded algorithm', async () => {
    const result = { ETag: '"new"', ChecksumCRC32: CRC32, ChecksumType: 'FULL_OBJECT' } as const;
    s3.on(CopyObjectCommand).resolves({ VersionId: 'v2', CopyObjectResult: result });
    expect(await copy(1_000)).toMatchObject({ checksum: `CRC32:${CRC32}`, versionId: 'v2', etag: '"new"' });
    expect(inputsOf('CopyObjectCommand')).toEqual([
      {
        ...created,
        CopySource: SOURCE,
        ExpectedSourceBucketOwner: OWNER,
        IfNoneMatch: '*',
        MetadataDirective: 'REPLACE',
        TaggingDirective: 'REPLACE',
      },
    ]);
    expect(s3.calls()).toHaveLength(1);
  });

  it('take no answer with another checksum, and none of another algorithm', async () => {
    const result = { ETag: '"new"', ChecksumCRC32: 'BBBBBB==', ChecksumType: 'FULL_OBJECT' } as const;
    s3.on(CopyObjectCommand).resolves({ VersionId: 'v2', CopyObjectResult: result });
    await expect(copy(1_000)).rejects.toMatchObject({ name: 'ChecksumMismatch', message: /BBBBBB==.*AAAAAA==/ });
    const other = { ETag: '"new"', ChecksumCRC64NVME: CRC32, ChecksumType: 'FULL_OBJECT' } as const;
    s3.on(CopyObjectCommand).resolves({ VersionId: 'v2', CopyObjectResult: other });
    s3.on(HeadObjectCommand).resolves({ ChecksumCRC64NVME: CRC32, ChecksumType: 'FULL_OBJECT' });
    await expect(copy(1_000)).rejects.toMatchObject({ name: 'S3RequestFailed' });
  });

  it('pin every range, and let S3 make the object only with the recorded checksum', async () => {
    s3.on(HeadObjectCommand).rejects(sdkError('NotFound', 404));
    s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
    s3.on(ListPartsCommand).resolves({});
    s3.on(UploadPartCopyCommand).callsFake((input: { PartNumber: number }) => ({
      CopyPartResult: { ETag: `"range${input.PartNumber}"`, ChecksumCRC32: `part${input.PartNumber}` },
    }));
    s3.on(CompleteMultipartUploadCommand).resolves({ ETag: '"new-2"', VersionId: 'v2' });
    expect(await copy(10)).toMatchObject({ checksum: `CRC32:${CRC32}`, versionId: 'v2' });
    expect(inputsOf('CreateMultipartUploadCommand')).toEqual([{ ...created, ChecksumType: 'FULL_OBJECT' }]);
    expect(inputsOf('UploadPartCopyCommand')).toEqual(
      ['bytes=0-9', 'bytes=10-14'].map((CopySourceRange, index) => ({
        ...target,
        UploadId: 'u1',
        PartNumber: index + 1,
        CopySource: SOURCE,
        CopySourceRange,
        ExpectedSourceBucketOwner: OWNER,
      })),
    );
    expect(inputsOf('CompleteMultipartUploadCommand')).toMatchObject([
      { ...target, IfNoneMatch: '*', ChecksumType: 'FULL_OBJECT', ChecksumCRC32: CRC32, MpuObjectSize: 15 },
    ]);
  });

  it('are not sent for a part that nobody says where to find', async () => {
    const copier = new VaultPartCopier({ vault, work: new InMemoryObjectStore() });
    const part = { kind: 'part', path: 'x', root: 'main', sizeBytes: 1, token: 's3:e', racy: false } as const;
    const task = { backup: 'b', snapshot: 's', rank: 1, part, uploadKey: 'u', shouldStop: () => false };
    await expect(copier.copy(task)).rejects.toMatchObject({ name: 'CatalogCorrupt' });
    expect(s3.calls()).toHaveLength(0);
  });
});
