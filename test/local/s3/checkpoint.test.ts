import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { blobFiles, running } from './running.ts';

const Bucket = 'bkt';
const large = Buffer.alloc(100_000, 'large');
const larger = Buffer.alloc(200_000, 'larger');

async function begun() {
  const started = await running();
  const { client } = started;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  await client.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'then' }));
  const { VersionId } = await client.send(new PutObjectCommand({ Bucket, Key: 'large', Body: large }));
  await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'begun' }));
  const look = async () => ({
    versions: (await client.send(new ListObjectVersionsCommand({ Bucket }))).Versions,
    markers: (await client.send(new ListObjectVersionsCommand({ Bucket }))).DeleteMarkers,
    uploads: (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads,
  });
  return { ...started, look, largeVersion: VersionId };
}

it('goes back to a checkpoint again and again, whatever was written and deleted since', async () => {
  const { s3, client, look, largeVersion } = await begun();
  const then = await look();
  const checkpoint = s3.checkpoint();
  for (let round = 0; round < 3; round += 1) {
    await client.send(new PutObjectCommand({ Bucket, Key: 'small', Body: `round ${round}` }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'more', Body: larger }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'small' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'large', VersionId: largeVersion }));
    expect(await look()).not.toEqual(then);
    checkpoint.restore();
    expect(await look()).toEqual(then);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'large' }));
    expect(large.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  }
});

it('leaves no bytes behind when it went back and was released', async () => {
  const { s3, client, directory, largeVersion } = await begun();
  const before = blobFiles(directory);
  const checkpoint = s3.checkpoint();
  await client.send(new PutObjectCommand({ Bucket, Key: 'more', Body: larger }));
  checkpoint.restore();
  expect(blobFiles(directory)).toEqual(before);
  checkpoint.release();
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'large', VersionId: largeVersion }));
  expect(blobFiles(directory)).toEqual([]);
});
