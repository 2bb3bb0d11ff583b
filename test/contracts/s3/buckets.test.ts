import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, s3Contract } from './subject.ts';

s3Contract('buckets', (s3) => {
  it('lists the buckets that were created', async () => {
    const bucket = await s3().bucket();
    const { Buckets } = await s3().client.send(new ListBucketsCommand({}));
    expect((Buckets ?? []).map(({ Name }) => Name)).toContain(bucket);
    await s3().client.send(new HeadBucketCommand({ Bucket: bucket }));
  });

  it('names what is missing', async () => {
    const Bucket = `${await s3().bucket()}-none`;
    expect(await failureOf(s3().client.send(new HeadBucketCommand({ Bucket })))).toBe('404');
    expect(await failureOf(s3().client.send(new ListObjectsV2Command({ Bucket })))).toBe('404 NoSuchBucket');
    expect(await failureOf(s3().client.send(new DeleteBucketCommand({ Bucket })))).toBe('404 NoSuchBucket');
  });

  it('refuses names that are none', async () => {
    const create = new CreateBucketCommand({ Bucket: 'Not_A_Bucket' });
    expect(await failureOf(s3().client.send(create))).toBe('400 InvalidBucketName');
  });

  it('says whether it keeps versions', async () => {
    const Bucket = await s3().bucket();
    const status = async () => (await s3().client.send(new GetBucketVersioningCommand({ Bucket }))).Status;
    expect(await status()).toBeUndefined();
    for (const Status of ['Enabled', 'Suspended'] as const) {
      await s3().client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
      expect(await status()).toBe(Status);
    }
  });

  it('goes only when nothing is left in it', async () => {
    const Bucket = `${await s3().bucket()}-x`;
    await s3().client.send(new CreateBucketCommand({ Bucket }));
    await s3().put(Bucket, 'key');
    expect(await failureOf(s3().client.send(new DeleteBucketCommand({ Bucket })))).toBe('409 BucketNotEmpty');
    await s3().client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
    await s3().client.send(new DeleteBucketCommand({ Bucket }));
    expect(await failureOf(s3().client.send(new HeadBucketCommand({ Bucket })))).toBe('404');
  });

  it('refuses a request that expects another owner', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key');
    const foreign = { ExpectedBucketOwner: '999999999999' };
    const get = new GetObjectCommand({ Bucket: bucket, Key: 'key', ...foreign });
    expect(await failureOf(s3().client.send(get))).toBe('403 AccessDenied');
    expect(await failureOf(s3().put(bucket, 'key', 'x', foreign))).toBe('403 AccessDenied');
  });
});
