import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, required, s3Contract } from './subject.ts';

s3Contract('versions', (s3) => {
  const remove = (Bucket: string, Key: string, VersionId?: string) =>
    s3().client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  const listVersions = (Bucket: string, more: Partial<ListObjectVersionsCommandInput> = {}) =>
    s3().client.send(new ListObjectVersionsCommand({ Bucket, ...more }));

  it('keeps every version readable by its id', async () => {
    const bucket = await s3().bucket('versioned');
    const one = required((await s3().put(bucket, 'key', 'one')).VersionId);
    const two = required((await s3().put(bucket, 'key', 'two')).VersionId);
    expect(one).not.toBe(two);
    expect(await s3().text(bucket, 'key')).toBe('two');
    expect(await s3().text(bucket, 'key', { VersionId: one })).toBe('one');
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key', VersionId: one }));
    expect(head.VersionId).toBe(one);
  });

  it('names no version in a bucket that never had versioning', async () => {
    const bucket = await s3().bucket();
    expect((await s3().put(bucket, 'key', 'one')).VersionId).toBeUndefined();
    expect((await listVersions(bucket)).Versions).toMatchObject([{ Key: 'key', VersionId: 'null', IsLatest: true }]);
  });

  it('hides an object behind a delete marker', async () => {
    const bucket = await s3().bucket('versioned');
    const { VersionId } = await s3().put(bucket, 'key', 'one');
    const marker = await remove(bucket, 'key');
    expect(marker.DeleteMarker).toBe(true);
    expect(await failureOf(s3().read(bucket, 'key'))).toBe('404 NoSuchKey');
    expect(await failureOf(s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key' })))).toBe('404');
    expect(await s3().text(bucket, 'key', { VersionId })).toBe('one');
    expect((await s3().client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents).toBeUndefined();
  });

  it('answers a read of a delete marker by its version with 405', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'key', 'one');
    const { VersionId } = await remove(bucket, 'key');
    const get = new GetObjectCommand({ Bucket: bucket, Key: 'key', VersionId });
    expect(await failureOf(s3().client.send(get))).toBe('405 MethodNotAllowed');
    const head = new HeadObjectCommand({ Bucket: bucket, Key: 'key', VersionId });
    expect(await failureOf(s3().client.send(head))).toBe('405');
  });

  it('shows the object again when its delete marker is deleted', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'key', 'one');
    const { VersionId } = await remove(bucket, 'key');
    const removed = await remove(bucket, 'key', VersionId);
    expect([removed.DeleteMarker, removed.VersionId]).toEqual([true, VersionId]);
    expect(await s3().text(bucket, 'key')).toBe('one');
  });

  it('deletes a version for ever, and shows the one before it', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'key', 'one');
    const { VersionId } = await s3().put(bucket, 'key', 'two');
    const removed = await remove(bucket, 'key', VersionId);
    expect([removed.DeleteMarker, removed.VersionId]).toEqual([undefined, VersionId]);
    expect(await s3().text(bucket, 'key')).toBe('one');
    expect(await failureOf(s3().read(bucket, 'key', { VersionId }))).toBe('404 NoSuchVersion');
    // A second time is as good as the first: deletion can be repeated.
    await remove(bucket, 'key', VersionId);
  });

  it('makes a delete marker even where nothing was', async () => {
    const bucket = await s3().bucket('versioned');
    expect((await remove(bucket, 'nothing')).DeleteMarker).toBe(true);
    expect((await listVersions(bucket)).DeleteMarkers).toMatchObject([{ Key: 'nothing', IsLatest: true }]);
  });

  it('deletes at once in a bucket without versions, also what is not there', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'x');
    expect((await remove(bucket, 'key')).DeleteMarker).toBeUndefined();
    await remove(bucket, 'key');
    expect((await listVersions(bucket)).Versions).toBeUndefined();
  });

  it('replaces only the null version while versioning is suspended', async () => {
    const bucket = await s3().bucket('versioned');
    const kept = required((await s3().put(bucket, 'key', 'kept')).VersionId);
    const VersioningConfiguration = { Status: 'Suspended' } as const;
    await s3().client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    await s3().put(bucket, 'key', 'first');
    expect((await s3().put(bucket, 'key', 'second')).VersionId).toBe('null');
    const { Versions } = await listVersions(bucket);
    expect((Versions ?? []).map(({ VersionId }) => VersionId)).toEqual(['null', kept]);
    expect((await remove(bucket, 'key')).VersionId).toBe('null');
    expect(await failureOf(s3().read(bucket, 'key'))).toBe('404 NoSuchKey');
    expect(await s3().text(bucket, 'key', { VersionId: kept })).toBe('kept');
  });
});

s3Contract('ListObjectVersions', (s3) => {
  const list = (Bucket: string, more: Partial<ListObjectVersionsCommandInput> = {}) =>
    s3().client.send(new ListObjectVersionsCommand({ Bucket, ...more }));

  /** a: v1, v2, marker; b: v1, v2, v3; c/1: v1; c/2: v1. Returns `key version` newest first, as S3 lists. */
  const history = async () => {
    const bucket = await s3().bucket('versioned');
    const written: string[] = [];
    const note = (key: string, id: string | undefined) => void written.push(`${key} ${required(id)}`);
    for (const key of ['a', 'a', 'b', 'b', 'b', 'c/1', 'c/2']) note(key, (await s3().put(bucket, key, 'x')).VersionId);
    note('a', (await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a' }))).VersionId);
    const of = (key: string) => written.filter((one) => one.startsWith(`${key} `)).reverse();
    return { bucket, expected: [...of('a'), ...of('b'), ...of('c/1'), ...of('c/2')] };
  };

  const namesOf = (page: Awaited<ReturnType<typeof list>>) =>
    [...(page.DeleteMarkers ?? []), ...(page.Versions ?? [])].map(({ Key, VersionId }) => `${Key} ${VersionId}`);

  const listAll = async (bucket: string, more: Partial<ListObjectVersionsCommandInput>) => {
    const names: string[] = [];
    let markers: Partial<ListObjectVersionsCommandInput> = {};
    for (;;) {
      const page = await list(bucket, { ...more, ...markers });
      names.push(...namesOf(page));
      if (!page.IsTruncated) return names;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  };

  it('lists keys in order, and of each key the newest version first', async () => {
    const { bucket, expected } = await history();
    const page = await list(bucket);
    expect(namesOf(page)).toEqual(expected);
    expect((page.Versions ?? []).map(({ IsLatest }) => IsLatest)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect((page.DeleteMarkers ?? []).map(({ IsLatest }) => IsLatest)).toEqual([true]);
    expect(required(page.Versions?.[0])).toMatchObject({ Size: 1, StorageClass: 'STANDARD' });
  });

  it('pages from marker to marker, also in the middle of a key', async () => {
    const { bucket, expected } = await history();
    for (const MaxKeys of [1, 2, 3, 7]) expect(await listAll(bucket, { MaxKeys })).toEqual(expected);
  });

  it('goes on behind a version that was deleted meanwhile', async () => {
    const { bucket, expected } = await history();
    const first = await list(bucket, { MaxKeys: 4 });
    const names = namesOf(first);
    for (const name of names) {
      const [Key, VersionId] = name.split(' ');
      await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: required(Key), VersionId }));
    }
    const markers = { KeyMarker: first.NextKeyMarker, VersionIdMarker: first.NextVersionIdMarker };
    const rest = await list(bucket, markers);
    expect([...names, ...namesOf(rest)]).toEqual(expected);
    expect(rest.Versions?.[0]).toMatchObject({ Key: 'b', IsLatest: true });
  });

  it('starts after every version of a key marker that stands alone', async () => {
    const { bucket, expected } = await history();
    expect(namesOf(await list(bucket, { KeyMarker: 'a' }))).toEqual(expected.filter((name) => !name.startsWith('a ')));
  });

  it('lists below a prefix, and rolls up', async () => {
    const { bucket, expected } = await history();
    expect(namesOf(await list(bucket, { Prefix: 'c/' }))).toEqual(expected.filter((name) => name.startsWith('c/')));
    const rolled = await list(bucket, { Delimiter: '/' });
    expect((rolled.CommonPrefixes ?? []).map(({ Prefix }) => Prefix)).toEqual(['c/']);
    expect(namesOf(rolled)).toHaveLength(6);
  });

  it('pages over common prefixes without naming one twice, also those with delete markers alone', async () => {
    const bucket = await s3().bucket('versioned');
    for (const key of ['p/a/1', 'p/a/2', 'p/b', 'p/c/1', 'p/c/1', 'p/d/1']) await s3().put(bucket, key, 'x');
    await s3().client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'p/e/1' }));
    for (const MaxKeys of [1, 2, 3, 1000]) {
      const prefixes: (string | undefined)[] = [];
      const names: string[] = [];
      let markers: Partial<ListObjectVersionsCommandInput> | undefined = {};
      while (markers !== undefined) {
        const page = await list(bucket, { Prefix: 'p/', Delimiter: '/', MaxKeys, ...markers });
        prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
        names.push(...namesOf(page));
        const next = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
        markers = page.IsTruncated ? next : undefined;
      }
      expect(prefixes).toEqual(['p/a/', 'p/c/', 'p/d/', 'p/e/']);
      expect(names).toEqual([expect.stringMatching(/^p\/b /)]);
    }
  });

  it('names the class of each version', async () => {
    const bucket = await s3().bucket('versioned');
    await s3().put(bucket, 'key', 'x', { StorageClass: 'GLACIER' });
    await s3().put(bucket, 'key', 'x', { StorageClass: 'STANDARD_IA' });
    const { Versions } = await list(bucket);
    expect((Versions ?? []).map(({ StorageClass }) => StorageClass)).toEqual(['STANDARD_IA', 'GLACIER']);
  });

  it('wants a key marker with a version marker', async () => {
    const { bucket, expected } = await history();
    const VersionIdMarker = required(expected[0]?.split(' ')[1]);
    expect(await failureOf(list(bucket, { VersionIdMarker }))).toBe('400 InvalidArgument');
  });
});
