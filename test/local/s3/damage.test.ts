import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { variedBytes } from '../../support/byte-streams.ts';
import { blobFiles, running } from './running.ts';

/** Below and above what the index itself holds. */
const SIZES = [5, 100_000];

async function versioned() {
  const started = await running();
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await started.client.send(new PutBucketVersioningCommand({ Bucket: 'bkt', VersioningConfiguration }));
  const put = async (Key: string, Body: Uint8Array) => {
    const output = await started.client.send(
      new PutObjectCommand({ Bucket: 'bkt', Key, Body, ChecksumAlgorithm: 'CRC32' }),
    );
    return output.VersionId ?? '';
  };
  return { ...started, put };
}

async function listed(client: S3Client) {
  return (await client.send(new ListObjectVersionsCommand({ Bucket: 'bkt' }))).Versions;
}

/** Without the comparison of the SDK: a range has no checksum. */
async function bytesOf(client: S3Client, Key: string, VersionId?: string): Promise<Uint8Array> {
  const get = { Bucket: 'bkt', Key, Range: 'bytes=0-', ...(VersionId === undefined ? {} : { VersionId }) };
  return (await (await client.send(new GetObjectCommand(get))).Body?.transformToByteArray()) ?? new Uint8Array();
}

it.each(SIZES)('rots one bit of %i bytes and lets everything else say what it said', async (sizeBytes) => {
  const { s3, client, put } = await versioned();
  const bytes = variedBytes(sizeBytes);
  const versionId = await put('key', bytes);
  await put('key', Buffer.from('later'));
  const before = await listed(client);
  await s3.damage.rot({ bucket: 'bkt', key: 'key', versionId });
  expect(await listed(client)).toEqual(before);
  const expected = Uint8Array.from(bytes);
  const middle = Math.floor(sizeBytes / 2);
  expected[middle] = (expected[middle] ?? 0) ^ 1;
  expect(Buffer.compare(await bytesOf(client, 'key', versionId), expected)).toBe(0);
  expect(Buffer.from(await bytesOf(client, 'key')).toString()).toBe('later');
  const compared = client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'key', VersionId: versionId }));
  await expect(compared.then(({ Body }) => Body?.transformToByteArray())).rejects.toThrow(/Checksum mismatch/);
});

it.each(SIZES)('leaves copies of %i bytes that were made before alone, and later ones tell the truth', async (size) => {
  const { s3, client, put, directory } = await versioned();
  const bytes = variedBytes(size);
  await put('key', bytes);
  const copyTo = async (Key: string) =>
    client.send(new CopyObjectCommand({ Bucket: 'bkt', Key, CopySource: 'bkt/key', ChecksumAlgorithm: 'CRC32' }));
  const before = await copyTo('before');
  await s3.damage.rot({ bucket: 'bkt', key: 'key' });
  expect(Buffer.compare(await bytesOf(client, 'before'), bytes)).toBe(0);
  const after = await copyTo('after');
  expect(after.CopyObjectResult?.ChecksumCRC32).not.toBe(before.CopyObjectResult?.ChecksumCRC32);
  const read = await client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'after' }));
  expect((await read.Body?.transformToByteArray())?.byteLength).toBe(size);
  expect(blobFiles(directory).length).toBeLessThanOrEqual(2);
});

it('truncates a version, and says so in listings', async () => {
  const { s3, client, put } = await versioned();
  await put('key', variedBytes(100_000));
  await s3.damage.truncate({ bucket: 'bkt', key: 'key' }, 70_000);
  expect(await listed(client)).toMatchObject([{ Key: 'key', Size: 70_000 }]);
  expect(Buffer.compare(await bytesOf(client, 'key'), variedBytes(100_000).subarray(0, 70_000))).toBe(0);
});

it('loses a version, and shows the one before it', async () => {
  const { s3, client, put } = await versioned();
  await put('key', Buffer.from('one'));
  const two = await put('key', Buffer.from('two'));
  s3.damage.lose({ bucket: 'bkt', key: 'key', versionId: two });
  expect(Buffer.from(await bytesOf(client, 'key')).toString()).toBe('one');
  expect(await listed(client)).toHaveLength(1);
});

it('moves a version to another class without a new version', async () => {
  const { s3, client, put } = await versioned();
  const versionId = await put('key', Buffer.from('x'));
  s3.damage.changeStorageClass({ bucket: 'bkt', key: 'key' }, 'GLACIER');
  const head = await client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'key' }));
  expect(head).toMatchObject({ VersionId: versionId, StorageClass: 'GLACIER' });
  await expect(bytesOf(client, 'key')).rejects.toMatchObject({ name: 'InvalidObjectState' });
});

it('refuses to harm what is not there, and what has no bytes', async () => {
  const { s3, put } = await versioned();
  await put('empty', new Uint8Array());
  await expect(s3.damage.rot({ bucket: 'bkt', key: 'empty' })).rejects.toThrow(/is empty/);
  await expect(s3.damage.rot({ bucket: 'bkt', key: 'nothing' })).rejects.toThrow(/no such version/);
  expect(() => s3.damage.lose({ bucket: 'bkt', key: 'empty', versionId: 'none' })).toThrow(/no such version/);
});
