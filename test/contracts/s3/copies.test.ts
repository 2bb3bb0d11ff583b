import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, patterned, required, s3Contract } from './subject.ts';

s3Contract('copies', (s3) => {
  const copy = (Bucket: string, Key: string, source: string, more: object = {}) =>
    s3().client.send(
      new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${encodeURIComponent(source)}`, ...more }),
    );

  it('copies the bytes, and outlives its source', async () => {
    const bucket = await s3().bucket();
    const bytes = patterned(100_000);
    const put = await s3().put(bucket, 'source', bytes);
    const { CopyObjectResult } = await copy(bucket, 'copy', 'source');
    await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'source' }));
    expect((await s3().read(bucket, 'copy')).equals(bytes)).toBe(true);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'copy' }));
    expect(head.ETag).toBe(CopyObjectResult?.ETag);
    expect(required(put.ETag)).toMatch(/^".+"$/);
  });

  it('copies from another bucket', async () => {
    const from = await s3().bucket();
    const to = await s3().bucket();
    await s3().put(from, 'source', 'x');
    await s3().client.send(new CopyObjectCommand({ Bucket: to, Key: 'copy', CopySource: `/${from}/source` }));
    expect(await s3().text(to, 'copy')).toBe('x');
  });

  it('copies only the version whose ETag the source condition names', async () => {
    const bucket = await s3().bucket();
    const first = required((await s3().put(bucket, 'source', 'one')).ETag);
    await copy(bucket, 'copy', 'source', { CopySourceIfMatch: first });
    await s3().put(bucket, 'source', 'two');
    const late = copy(bucket, 'copy', 'source', { CopySourceIfMatch: first });
    expect(await failureOf(late)).toBe('412 PreconditionFailed');
    const unwanted = copy(bucket, 'copy', 'source', { CopySourceIfNoneMatch: '*' });
    expect(await failureOf(unwanted)).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'copy')).toBe('one');
  });

  it('copies an old version by its id, and says which it copied', async () => {
    const bucket = await s3().bucket('versioned');
    const { VersionId } = await s3().put(bucket, 'source', 'one');
    await s3().put(bucket, 'source', 'two');
    const CopySource = `${bucket}/source?versionId=${VersionId}`;
    const answer = await s3().client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource }));
    expect(answer.CopySourceVersionId).toBe(VersionId);
    expect(answer.VersionId).toMatch(/./);
    expect(await s3().text(bucket, 'copy')).toBe('one');
  });

  it('keeps the metadata, or replaces it when told to', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'x', { ContentType: 'text/plain', Metadata: { rank: '3' } });
    await copy(bucket, 'kept', 'source', { Metadata: { ignored: 'yes' } });
    await copy(bucket, 'replaced', 'source', { MetadataDirective: 'REPLACE', Metadata: { rank: '4' } });
    const kept = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'kept' }));
    const replaced = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'replaced' }));
    expect([kept.Metadata, kept.ContentType]).toEqual([{ rank: '3' }, 'text/plain']);
    expect(replaced.Metadata).toEqual({ rank: '4' });
    expect(replaced.ContentType).not.toBe('text/plain');
  });

  it('copies tags, or replaces them when told to', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'x', { Tagging: 'a=1&b=2' });
    await copy(bucket, 'kept', 'source');
    await copy(bucket, 'replaced', 'source', { TaggingDirective: 'REPLACE', Tagging: 'c=3' });
    await copy(bucket, 'none', 'source', { TaggingDirective: 'REPLACE' });
    const counts: (number | undefined)[] = [];
    for (const Key of ['kept', 'replaced', 'none']) {
      counts.push((await s3().client.send(new GetObjectCommand({ Bucket: bucket, Key }))).TagCount);
    }
    expect(counts).toEqual([2, 1, undefined]);
  });

  it('stores the copy in the class asked for, not in the source’s', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'x', { StorageClass: 'STANDARD_IA' });
    await copy(bucket, 'standard', 'source');
    await copy(bucket, 'cold', 'source', { StorageClass: 'GLACIER_IR' });
    const standard = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'standard' }));
    const cold = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'cold' }));
    expect([standard.StorageClass, cold.StorageClass]).toEqual([undefined, 'GLACIER_IR']);
  });

  it('refuses to copy an object onto itself unchanged', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'x');
    expect(await failureOf(copy(bucket, 'key', 'key'))).toBe('400 InvalidRequest');
    await copy(bucket, 'key', 'key', { MetadataDirective: 'REPLACE', Metadata: { new: 'yes' } });
    expect(await s3().text(bucket, 'key')).toBe('x');
  });

  it('names a source that is missing, deleted or a delete marker', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'gone', 'x');
    const { VersionId } = await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone' }));
    expect(await failureOf(copy(bucket, 'copy', 'nothing'))).toBe('404 NoSuchKey');
    expect(await failureOf(copy(bucket, 'copy', 'gone'))).toBe('404 NoSuchKey');
    const CopySource = `${bucket}/gone?versionId=${VersionId}`;
    const marker = new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource });
    expect(await failureOf(s3().client.send(marker))).toBe('400 InvalidRequest');
  });

  it('reads a bare plus in the copy source as a space', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'a b', 'space');
    await s3().put(bucket, 'a+b', 'plus');
    await s3().client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/a+b` }));
    expect(await s3().text(bucket, 'copy')).toBe('space');
  });
});
