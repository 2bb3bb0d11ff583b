import { DeleteObjectsCommand, ListObjectsV2Command, type ObjectIdentifier } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { expect, it } from 'vitest';
import { failureOf, required, s3Contract } from './subject.ts';

s3Contract('DeleteObjects', (s3) => {
  const remove = (Bucket: string, Objects: ObjectIdentifier[], Quiet = false) =>
    s3().client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet } }));

  it('deletes what is there and what is not, and says so', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'a & b', 'x');
    await s3().put(bucket, 'kept', 'x');
    const { Deleted, Errors } = await remove(bucket, [{ Key: 'a & b' }, { Key: 'nothing' }]);
    expect(Deleted).toEqual([{ Key: 'a & b' }, { Key: 'nothing' }]);
    expect(Errors).toBeUndefined();
    const { Contents } = await s3().client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect((Contents ?? []).map(({ Key }) => Key)).toEqual(['kept']);
  });

  it('says nothing about successes when quiet', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'a', 'x');
    expect((await remove(bucket, [{ Key: 'a' }], true)).Deleted).toBeUndefined();
    expect(await failureOf(s3().read(bucket, 'a'))).toBe('404 NoSuchKey');
  });

  it('makes delete markers, and deletes versions for ever', async () => {
    const bucket = await s3().bucket('versioned');
    const { VersionId } = await s3().put(bucket, 'a', 'x');
    const hidden = await remove(bucket, [{ Key: 'a' }]);
    expect(hidden.Deleted).toMatchObject([{ Key: 'a', DeleteMarker: true }]);
    const markerId = required(hidden.Deleted?.[0]?.DeleteMarkerVersionId);
    const gone = await remove(bucket, [
      { Key: 'a', VersionId },
      { Key: 'a', VersionId: markerId },
    ]);
    expect(gone.Deleted).toEqual([
      { Key: 'a', VersionId },
      { Key: 'a', VersionId: markerId, DeleteMarker: true, DeleteMarkerVersionId: markerId },
    ]);
    expect(await failureOf(s3().read(bucket, 'a', { VersionId }))).toBe('404 NoSuchVersion');
  });

  it('deletes the others when one fails its condition', async () => {
    const bucket = await s3().bucket();
    const { ETag } = await s3().put(bucket, 'right', 'x');
    await s3().put(bucket, 'wrong', 'x');
    const { Deleted, Errors } = await remove(bucket, [
      { Key: 'wrong', ETag: '"00000000000000000000000000000000"' },
      { Key: 'right', ETag },
    ]);
    expect(Deleted).toMatchObject([{ Key: 'right' }]);
    expect(Errors).toMatchObject([{ Key: 'wrong', Code: 'PreconditionFailed' }]);
    expect(await s3().text(bucket, 'wrong')).toBe('x');
  });

  it('takes a thousand keys with markup in their names, and no more', async () => {
    const bucket = await s3().bucket();
    const keys = Array.from({ length: 1000 }, (_, index) => ({ Key: `<${index}> & "ü" 'é' \t` }));
    await pMap(keys.slice(0, 50), ({ Key }) => s3().put(bucket, Key, 'x'), { concurrency: 8 });
    expect((await remove(bucket, keys)).Deleted).toEqual(keys);
    expect((await s3().client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount).toBe(0);
    expect(await failureOf(remove(bucket, [...keys, { Key: 'one more' }]))).toBe('400 MalformedXML');
  });
});
