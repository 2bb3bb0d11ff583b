import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, required, s3Contract } from './subject.ts';

const hour = 3_600_000;
const soon = new Date(Math.floor(Date.now() / 1000) * 1000 + hour);
const later = new Date(soon.getTime() + hour);
/** Governance, so that the suite can clean up after itself at a real endpoint. */
const governed = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: soon } as const;

s3Contract('Object Lock', (s3) => {
  const remove = (Bucket: string, VersionId: string | undefined, BypassGovernanceRetention = false) =>
    s3().client.send(new DeleteObjectCommand({ Bucket, Key: 'key', VersionId, BypassGovernanceRetention }));
  const retain = (Bucket: string, until: Date, BypassGovernanceRetention = false) =>
    s3().client.send(
      new PutObjectRetentionCommand({
        Bucket,
        Key: 'key',
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
        BypassGovernanceRetention,
      }),
    );

  it('turns versioning on with the lock, and keeps it on', async () => {
    const bucket = await s3().bucket('locking');
    expect((await s3().put(bucket, 'key', 'x')).VersionId).toMatch(/./);
    const config = await s3().client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }));
    expect(config.ObjectLockConfiguration?.ObjectLockEnabled).toBe('Enabled');
    const suspend = { Bucket: bucket, VersioningConfiguration: { Status: 'Suspended' } } as const;
    expect(await failureOf(s3().client.send(new PutBucketVersioningCommand(suspend)))).toBe('409 InvalidBucketState');
  });

  it('names the missing configuration of a bucket without lock', async () => {
    const bucket = await s3().bucket();
    const get = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    expect(await failureOf(s3().client.send(get))).toBe('404 ObjectLockConfigurationNotFoundError');
    expect(await failureOf(s3().put(bucket, 'key', 'x', governed))).toBe('400 InvalidRequest');
    const retention = new GetObjectRetentionCommand({ Bucket: bucket, Key: 'key' });
    expect(await failureOf(s3().client.send(retention))).toBe('400 InvalidRequest');
  });

  it('can be turned on for a versioned bucket', async () => {
    const bucket = await s3().bucket('versioned');
    const on = { Bucket: bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } } as const;
    await s3().client.send(new PutObjectLockConfigurationCommand(on));
    const put = await s3().put(bucket, 'key', 'x', governed);
    expect(await failureOf(remove(bucket, put.VersionId))).toBe('403 AccessDenied');
  });

  it('keeps a locked version from deletion, not from a delete marker', async () => {
    const bucket = await s3().bucket('locking');
    const { VersionId } = await s3().put(bucket, 'key', 'x', governed);
    expect(await failureOf(remove(bucket, VersionId))).toBe('403 AccessDenied');
    const marker = await remove(bucket, undefined);
    expect(marker.DeleteMarker).toBe(true);
    expect(await s3().text(bucket, 'key', { VersionId })).toBe('x');
    await remove(bucket, marker.VersionId);
    await remove(bucket, VersionId, true);
    expect(await failureOf(s3().read(bucket, 'key', { VersionId }))).toBe('404 NoSuchVersion');
  });

  it('names each locked version in a batch', async () => {
    const bucket = await s3().bucket('locking');
    const locked = await s3().put(bucket, 'key', 'x', governed);
    const free = await s3().put(bucket, 'key', 'y');
    const Objects = [locked, free].map(({ VersionId }) => ({ Key: 'key', VersionId }));
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } });
    const { Deleted, Errors } = await s3().client.send(command);
    expect(Errors).toMatchObject([{ Key: 'key', VersionId: locked.VersionId, Code: 'AccessDenied' }]);
    expect(Deleted).toMatchObject([{ Key: 'key', VersionId: free.VersionId }]);
  });

  it('names locked versions also in a quiet batch, and deletes delete markers over them', async () => {
    const bucket = await s3().bucket('locking');
    const locked = await s3().put(bucket, 'key', 'x', governed);
    const marker = await remove(bucket, undefined);
    const Objects = [locked, marker].map(({ VersionId }) => ({ Key: 'key', VersionId }));
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
    const { Deleted, Errors } = await s3().client.send(command);
    expect(Deleted).toBeUndefined();
    expect(Errors).toMatchObject([{ Key: 'key', VersionId: locked.VersionId, Code: 'AccessDenied' }]);
    expect(await s3().text(bucket, 'key')).toBe('x');
  });

  it('says by HEAD and by GET of a version what keeps it', async () => {
    const bucket = await s3().bucket('locking');
    const { VersionId } = await s3().put(bucket, 'key', 'x', { ...governed, ObjectLockLegalHoldStatus: 'ON' });
    await s3().put(bucket, 'key', 'later, and free');
    const at = { Bucket: bucket, Key: 'key', VersionId };
    const shown = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: soon, ObjectLockLegalHoldStatus: 'ON' };
    expect(await s3().client.send(new HeadObjectCommand(at))).toMatchObject(shown);
    expect(await s3().client.send(new GetObjectCommand(at))).toMatchObject(shown);
    const off = { ...at, LegalHold: { Status: 'OFF' } } as const;
    await s3().client.send(new PutObjectLegalHoldCommand(off));
    expect((await s3().client.send(new HeadObjectCommand(at))).ObjectLockLegalHoldStatus).toBe('OFF');
  });

  it('says by HEAD and by retention how long a version is locked', async () => {
    const bucket = await s3().bucket('locking');
    await s3().put(bucket, 'key', 'x', governed);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key' }));
    expect([head.ObjectLockMode, head.ObjectLockRetainUntilDate]).toEqual(['GOVERNANCE', soon]);
    const { Retention } = await s3().client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: 'key' }));
    expect(Retention).toEqual({ Mode: 'GOVERNANCE', RetainUntilDate: soon });
  });

  it('extends a retention freely, and shortens it only with the bypass', async () => {
    const bucket = await s3().bucket('locking');
    await s3().put(bucket, 'key', 'x');
    const get = new GetObjectRetentionCommand({ Bucket: bucket, Key: 'key' });
    expect(await failureOf(s3().client.send(get))).toBe('404 NoSuchObjectLockConfiguration');
    await retain(bucket, soon);
    await retain(bucket, later);
    expect(await failureOf(retain(bucket, soon))).toBe('403 AccessDenied');
    await retain(bucket, soon, true);
    const { Retention } = await s3().client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: 'key' }));
    expect(Retention?.RetainUntilDate).toEqual(soon);
  });

  it('refuses a date that has passed, and a mode without a date', async () => {
    const bucket = await s3().bucket('locking');
    const past = { ...governed, ObjectLockRetainUntilDate: new Date(Date.now() - hour) };
    expect(await failureOf(s3().put(bucket, 'key', 'x', past))).toBe('400 InvalidArgument');
    expect(await failureOf(s3().put(bucket, 'key', 'x', { ObjectLockMode: 'GOVERNANCE' }))).toBe('400 InvalidArgument');
  });

  it('keeps a version under legal hold until the hold is lifted', async () => {
    const bucket = await s3().bucket('locking');
    const { VersionId } = await s3().put(bucket, 'key', 'x', { ObjectLockLegalHoldStatus: 'ON' });
    expect(await failureOf(remove(bucket, VersionId, true))).toBe('403 AccessDenied');
    const { LegalHold } = await s3().client.send(new GetObjectLegalHoldCommand({ Bucket: bucket, Key: 'key' }));
    expect(LegalHold?.Status).toBe('ON');
    const off = { Bucket: bucket, Key: 'key', LegalHold: { Status: 'OFF' } } as const;
    await s3().client.send(new PutObjectLegalHoldCommand(off));
    await remove(bucket, VersionId);
  });

  it('locks copies by their own headers, not by their source’s lock', async () => {
    const bucket = await s3().bucket('locking');
    await s3().put(bucket, 'source', 'x', governed);
    const copy = { Bucket: bucket, Key: 'key', CopySource: `${bucket}/source` };
    const free = await s3().client.send(new CopyObjectCommand(copy));
    const locked = await s3().client.send(new CopyObjectCommand({ ...copy, ...governed }));
    await remove(bucket, free.VersionId);
    expect(await failureOf(remove(bucket, locked.VersionId))).toBe('403 AccessDenied');
  });

  it('wants a checksum or an MD5 with a locked object', async () => {
    const bucket = await s3().bucket('locking');
    const client = s3().withoutChecksums();
    const put = new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'x', ...governed });
    expect(await failureOf(client.send(put))).toBe('400 InvalidRequest');
    client.destroy();
  });

  it('takes the lock of a multipart upload when it is created', async () => {
    const bucket = await s3().bucket();
    const create = new CreateMultipartUploadCommand({ Bucket: bucket, Key: 'key', ...governed });
    expect(await failureOf(s3().client.send(create))).toBe('400 InvalidRequest');
    const locking = await s3().bucket('locking');
    const made = await s3().client.send(new CreateMultipartUploadCommand({ Bucket: locking, Key: 'key', ...governed }));
    expect(required(made.UploadId)).toMatch(/./);
  });
});
