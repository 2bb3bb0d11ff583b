import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, required, s3Contract } from './subject.ts';

const other = '"00000000000000000000000000000000"';

s3Contract('conditional reads', (s3) => {
  it('reads with If-Match only what has that ETag', async () => {
    const bucket = await s3().bucket();
    const ETag = required((await s3().put(bucket, 'key', 'x')).ETag);
    expect(await s3().text(bucket, 'key', { IfMatch: ETag })).toBe('x');
    expect(await s3().text(bucket, 'key', { IfMatch: '*' })).toBe('x');
    expect(await failureOf(s3().read(bucket, 'key', { IfMatch: other }))).toBe('412 PreconditionFailed');
    const head = new HeadObjectCommand({ Bucket: bucket, Key: 'key', IfMatch: other });
    expect(await failureOf(s3().client.send(head))).toBe('412');
  });

  it('answers 304 to If-None-Match with the ETag', async () => {
    const bucket = await s3().bucket();
    const ETag = required((await s3().put(bucket, 'key', 'x')).ETag);
    expect(await failureOf(s3().read(bucket, 'key', { IfNoneMatch: ETag }))).toBe('304');
    const head = new HeadObjectCommand({ Bucket: bucket, Key: 'key', IfNoneMatch: ETag });
    expect(await failureOf(s3().client.send(head))).toBe('304');
    expect(await s3().text(bucket, 'key', { IfNoneMatch: other })).toBe('x');
  });

  it('judges by time: If-Modified-Since and If-Unmodified-Since', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'x');
    const { LastModified } = await s3().client.send(new GetObjectCommand({ Bucket: bucket, Key: 'key' }));
    const written = required(LastModified);
    const earlier = new Date(written.getTime() - 3_600_000);
    expect(await failureOf(s3().read(bucket, 'key', { IfModifiedSince: written }))).toBe('304');
    expect(await s3().text(bucket, 'key', { IfModifiedSince: earlier })).toBe('x');
    expect(await s3().text(bucket, 'key', { IfUnmodifiedSince: written })).toBe('x');
    expect(await failureOf(s3().read(bucket, 'key', { IfUnmodifiedSince: earlier }))).toBe('412 PreconditionFailed');
  });
});

s3Contract('conditional writes', (s3) => {
  it('writes with If-None-Match: * only where nothing is', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'first', { IfNoneMatch: '*' });
    const second = s3().put(bucket, 'key', 'second', { IfNoneMatch: '*' });
    expect(await failureOf(second)).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'key')).toBe('first');
  });

  it('lets If-None-Match: * succeed over a delete marker', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'key', 'first');
    await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'key' }));
    await s3().put(bucket, 'key', 'second', { IfNoneMatch: '*' });
    expect(await s3().text(bucket, 'key')).toBe('second');
  });

  it('lets exactly one of many racing creations win', async () => {
    const bucket = await s3().bucket();
    const races = Array.from({ length: 16 }, (_, index) =>
      s3()
        .put(bucket, 'lock', `writer ${index}`, { IfNoneMatch: '*' })
        .then(
          () => index,
          () => undefined,
        ),
    );
    const winners = (await Promise.all(races)).filter((index) => index !== undefined);
    expect(winners).toHaveLength(1);
    expect(await s3().text(bucket, 'lock')).toBe(`writer ${winners[0]}`);
  });

  it('writes with If-Match only over that ETag', async () => {
    const bucket = await s3().bucket();
    const ETag = required((await s3().put(bucket, 'key', 'first')).ETag);
    await s3().put(bucket, 'key', 'second', { IfMatch: ETag });
    expect(await failureOf(s3().put(bucket, 'key', 'third', { IfMatch: ETag }))).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'key')).toBe('second');
  });

  it('answers If-Match on nothing with 404', async () => {
    const bucket = await s3().bucket();
    expect(await failureOf(s3().put(bucket, 'key', 'x', { IfMatch: other }))).toBe('404 NoSuchKey');
  });

  it('judges a copy by its destination too', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'new');
    const ETag = required((await s3().put(bucket, 'taken', 'old')).ETag);
    const onto = (Key: string, more: object) =>
      s3().client.send(new CopyObjectCommand({ Bucket: bucket, Key, CopySource: `${bucket}/source`, ...more }));
    expect(await failureOf(onto('taken', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await failureOf(onto('taken', { IfMatch: other }))).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'taken')).toBe('old');
    await onto('free', { IfNoneMatch: '*' });
    await onto('taken', { IfMatch: ETag });
    expect(await s3().text(bucket, 'taken')).toBe('new');
  });

  it('deletes with If-Match only what has that ETag', async () => {
    const bucket = await s3().bucket();
    const ETag = required((await s3().put(bucket, 'key', 'x')).ETag);
    const remove = (IfMatch: string) =>
      s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'key', IfMatch }));
    expect(await failureOf(remove(other))).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'key')).toBe('x');
    await remove(ETag);
    expect(await failureOf(s3().read(bucket, 'key'))).toBe('404 NoSuchKey');
  });
});
