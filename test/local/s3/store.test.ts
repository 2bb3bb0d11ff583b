import { once } from 'node:events';
import { connect } from 'node:net';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { startLocalS3 } from '../../../local/s3/local-s3.ts';
import { blobFiles, clientOf, raw, running, temporaryDirectory } from './running.ts';

const large = Buffer.alloc(100_000, 'large');

it('is the same after it was closed and started again', async () => {
  const directory = temporaryDirectory();
  const before = await startLocalS3({ directory });
  const first = clientOf(before);
  const versioning = { Bucket: 'kept', VersioningConfiguration: { Status: 'Enabled' } } as const;
  await first.send(new CreateBucketCommand({ Bucket: 'kept' }));
  await first.send(new PutBucketVersioningCommand(versioning));
  for (const Body of ['old', 'new']) await first.send(new PutObjectCommand({ Bucket: 'kept', Key: 'key', Body }));
  await first.send(new PutObjectCommand({ Bucket: 'kept', Key: 'large', Body: large }));
  const multipart = { Bucket: 'kept', Key: 'multi', ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
  const { UploadId } = await first.send(new CreateMultipartUploadCommand(multipart));
  const { ETag } = await first.send(new UploadPartCommand({ ...multipart, UploadId, PartNumber: 1, Body: large }));
  const listed = await first.send(new ListObjectVersionsCommand({ Bucket: 'kept' }));
  first.destroy();
  await before.close();

  const { client } = await running({ directory });
  const again = await client.send(new ListObjectVersionsCommand({ Bucket: 'kept' }));
  expect(again.Versions).toEqual(listed.Versions);
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'kept', Key: 'large' }));
  expect(large.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  await client.send(new PutObjectCommand({ Bucket: 'kept', Key: 'key', Body: 'newest' }));
  const versions = await client.send(new ListObjectVersionsCommand({ Bucket: 'kept', Prefix: 'key' }));
  expect(versions.Versions?.map(({ VersionId }) => VersionId).slice(1)).toEqual(
    listed.Versions?.filter(({ Key }) => Key === 'key').map(({ VersionId }) => VersionId),
  );
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await client.send(new CompleteMultipartUploadCommand({ Bucket: 'kept', Key: 'multi', UploadId, MultipartUpload }));
});

it('refuses a directory that another server uses', async () => {
  const { directory } = await running();
  await expect(startLocalS3({ directory })).rejects.toThrow(/locked/);
});

it('shares the bytes of copies, and removes them with the last', async () => {
  const { client, directory } = await running();
  await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'source', Body: large }));
  for (const Key of ['one', 'two'])
    await client.send(new CopyObjectCommand({ Bucket: 'bkt', Key, CopySource: 'bkt/source' }));
  expect(blobFiles(directory)).toHaveLength(1);
  for (const Key of ['source', 'one']) await client.send(new DeleteObjectCommand({ Bucket: 'bkt', Key }));
  expect(blobFiles(directory)).toHaveLength(1);
  await client.send(new DeleteObjectCommand({ Bucket: 'bkt', Key: 'two' }));
  expect(blobFiles(directory)).toHaveLength(0);
});

it('removes what was overwritten', async () => {
  const { client, directory } = await running();
  for (const fill of ['a', 'bkt'])
    await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: Buffer.alloc(50_000, fill) }));
  expect(blobFiles(directory)).toHaveLength(1);
});

it('leaves nothing of a write that failed its condition or its checksum', async () => {
  const { client, directory } = await running();
  await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: 'small' }));
  const conditional = new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: large, IfNoneMatch: '*' });
  await expect(client.send(conditional)).rejects.toThrow();
  const wrong = new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: large, ChecksumCRC32: 'AAAAAA==' });
  await expect(client.send(wrong)).rejects.toThrow();
  expect(blobFiles(directory)).toHaveLength(0);
});

it('leaves nothing of a body that broke off', async () => {
  const { s3, client, directory } = await running();
  const finished = Promise.withResolvers<number>();
  s3.observe({ after: ({ status }) => finished.resolve(status) });
  const socket = connect(Number(new URL(s3.endpoint).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('PUT /bkt/broken HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n');
  socket.write(large);
  socket.end();
  expect(await finished.promise).toBe(400);
  expect(blobFiles(directory)).toHaveLength(0);
  await expect(client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'broken' }))).rejects.toThrow();
});

it('finishes a read of an object that is deleted meanwhile, and then removes its bytes', async () => {
  const { s3, client, directory } = await running();
  // More than the sockets between the two can hold.
  const bytes = Buffer.alloc(64 * 1024 ** 2, 'bytes');
  await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: bytes }));
  const sent = Promise.withResolvers<void>();
  s3.observe({ after: ({ operation }) => (operation === 'GetObject' ? sent.resolve() : undefined) });
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'key' }));
  await client.send(new DeleteObjectCommand({ Bucket: 'bkt', Key: 'key' }));
  expect(blobFiles(directory)).toHaveLength(1);
  expect(bytes.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  await sent.promise;
  expect(blobFiles(directory)).toHaveLength(0);
});

it('keeps what was stored before checksums without one, until a copy asks for it', async () => {
  const { s3, client } = await running({ storeDefaultChecksum: false });
  expect((await raw(s3, 'PUT /bkt/old', {}, '123456789')).status).toBe(200);
  const head = { Bucket: 'bkt', Key: 'old', ChecksumMode: 'ENABLED' } as const;
  expect((await client.send(new HeadObjectCommand(head))).ChecksumCRC64NVME).toBeUndefined();
  const copy = { Bucket: 'bkt', Key: 'copy', CopySource: 'bkt/old' };
  expect((await client.send(new CopyObjectCommand(copy))).CopyObjectResult?.ChecksumType).toBeUndefined();
  const summed = await client.send(new CopyObjectCommand({ ...copy, ChecksumAlgorithm: 'CRC64NVME' }));
  expect(summed.CopyObjectResult?.ChecksumCRC64NVME).toBe('rosUhgp5mIg=');
});

it('decides by bucket who gets a default checksum', async () => {
  const { s3, client } = await running({ storeDefaultChecksum: (bucket) => bucket !== 'bkt' });
  await client.send(new CreateBucketCommand({ Bucket: 'new-style' }));
  expect((await raw(s3, 'PUT /bkt/key', {}, 'x')).headers['x-amz-checksum-crc64nvme']).toBeUndefined();
  expect((await raw(s3, 'PUT /new-style/key', {}, 'x')).headers['x-amz-checksum-crc64nvme']).toMatch(/=$/);
});

it('judges locks by its clock, compliance against every bypass', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { client } = await running({ clock: () => now });
  await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  const until = new Date(now + 1000);
  const object = { Bucket: 'locked', Key: 'key' };
  const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until } as const;
  const { VersionId } = await client.send(new PutObjectCommand({ ...object, Body: 'x', ...lock }));
  const remove = () => client.send(new DeleteObjectCommand({ ...object, VersionId, BypassGovernanceRetention: true }));
  await expect(remove()).rejects.toThrow(/COMPLIANCE until 2026-01-01T00:00:01/);
  const weaker = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(now + 5000) } as const;
  const weaken = new PutObjectRetentionCommand({ ...object, Retention: weaker, BypassGovernanceRetention: true });
  await expect(client.send(weaken)).rejects.toThrow(/Access Denied/);
  now += 1000;
  await remove();
});

it('writes times by its clock', async () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0, 999);
  const { client } = await running({ clock: () => now });
  await client.send(new PutObjectCommand({ Bucket: 'bkt', Key: 'key', Body: 'x' }));
  const { LastModified } = await client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'key' }));
  expect(LastModified?.toISOString()).toBe('2026-01-01T12:00:00.000Z');
});

it('forgets after an hour that an upload was completed', async () => {
  let now = Date.UTC(2026, 0, 1);
  const { client } = await running({ clock: () => now });
  const multipart = { Bucket: 'bkt', Key: 'key', ChecksumAlgorithm: 'CRC32' } as const;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(multipart));
  const part = await client.send(new UploadPartCommand({ ...multipart, UploadId, PartNumber: 1, Body: 'x' }));
  const Parts = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
  const complete = () =>
    client.send(
      new CompleteMultipartUploadCommand({ Bucket: 'bkt', Key: 'key', UploadId, MultipartUpload: { Parts } }),
    );
  await complete();
  await complete();
  now += 3_600_001;
  await client.send(new CreateMultipartUploadCommand({ ...multipart, Key: 'another' }));
  await expect(complete()).rejects.toThrow(/does not exist/);
});

it('stops a closing server at once, also in the middle of a held request', async () => {
  const directory = temporaryDirectory();
  const s3 = await startLocalS3({ directory });
  const client = clientOf(s3);
  const hold = s3.faults.hold({});
  const held = client.send(new CreateBucketCommand({ Bucket: 'never' })).catch((error: unknown) => error);
  await hold.reached;
  await s3.close();
  expect(await held).toBeInstanceOf(Error);
  client.destroy();
});
