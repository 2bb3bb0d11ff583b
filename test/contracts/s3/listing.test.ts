import { type _Object, ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { expect, it } from 'vitest';
import { failureOf, required, s3Contract } from './subject.ts';

s3Contract('ListObjectsV2', (s3) => {
  const list = (Bucket: string, more: Partial<ListObjectsV2CommandInput> = {}) =>
    s3().client.send(new ListObjectsV2Command({ Bucket, ...more }));
  const keysOf = ({ Contents }: { Contents?: _Object[] | undefined }) => (Contents ?? []).map(({ Key }) => Key);
  const prefixesOf = ({ CommonPrefixes }: { CommonPrefixes?: { Prefix?: string | undefined }[] | undefined }) =>
    (CommonPrefixes ?? []).map(({ Prefix }) => Prefix);
  const bucketWith = async (keys: readonly string[]) => {
    const bucket = await s3().bucket();
    await pMap(keys, (key) => s3().put(bucket, key, 'x'), { concurrency: 8 });
    return bucket;
  };

  /** Every page after the other, with the tokens that the answers give. */
  const listAll = async (Bucket: string, more: Partial<ListObjectsV2CommandInput> = {}) => {
    const names: string[] = [];
    let pages = 0;
    let ContinuationToken: string | undefined;
    do {
      const page = await list(Bucket, { ...more, ContinuationToken });
      const found = [...keysOf(page), ...prefixesOf(page)].map(required);
      expect(page.KeyCount).toBe(found.length);
      names.push(...found);
      pages += 1;
      ContinuationToken = page.NextContinuationToken;
      expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
    } while (ContinuationToken !== undefined);
    return { names, pages };
  };

  it('describes each object', async () => {
    const bucket = await s3().bucket();
    const { ETag } = await s3().put(bucket, 'key', 'hello');
    const { Contents, KeyCount, IsTruncated, Name, MaxKeys } = await list(bucket);
    expect({ KeyCount, IsTruncated, Name, MaxKeys }).toEqual({
      KeyCount: 1,
      IsTruncated: false,
      Name: bucket,
      MaxKeys: 1000,
    });
    expect(Contents).toMatchObject([
      { Key: 'key', Size: 5, ETag, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC32'] },
    ]);
  });

  it('lists an empty bucket', async () => {
    const { Contents, KeyCount } = await list(await s3().bucket());
    expect([Contents, KeyCount]).toEqual([undefined, 0]);
  });

  it('lists in the order of UTF-8 bytes, also where that of UTF-16 differs', async () => {
    // U+FFFF comes before U+10000 in UTF-8; in UTF-16 the surrogates of U+10000 come first.
    const sorted = [
      'A',
      'Z',
      'a',
      'a/',
      'a//',
      'a/b',
      'a0',
      'z',
      'é',
      '\u{2603}',
      '\u{fffd}',
      '\u{ffff}',
      '\u{10000}',
      '\u{1f600}',
    ];
    const bucket = await bucketWith([...sorted].reverse());
    expect(keysOf(await list(bucket, { EncodingType: 'url' })).map((key) => decodeURIComponent(required(key)))).toEqual(
      sorted,
    );
  });

  it('pages through more than a thousand keys', async () => {
    const keys = Array.from({ length: 1203 }, (_, index) => `part-${String(index).padStart(6, '0')}`);
    const bucket = await bucketWith(keys);
    expect(await listAll(bucket)).toEqual({ names: keys, pages: 2 });
    expect(await listAll(bucket, { MaxKeys: 500 })).toEqual({ names: keys, pages: 3 });
    // S3 gives a thousand at most, whatever is asked.
    const { KeyCount, MaxKeys } = await list(bucket, { MaxKeys: 5000 });
    expect([KeyCount, MaxKeys]).toEqual([1000, 1000]);
  });

  it('does not promise another page when the last one is just full', async () => {
    const bucket = await bucketWith(['a', 'b', 'c']);
    expect(await listAll(bucket, { MaxKeys: 3 })).toEqual({ names: ['a', 'b', 'c'], pages: 1 });
  });

  it('lists what begins with a prefix', async () => {
    const bucket = await bucketWith(['rank', 'rank-1/a', 'rank-1/b', 'rank-10/a', 'rank-2/a']);
    expect((await listAll(bucket, { Prefix: 'rank-1/' })).names).toEqual(['rank-1/a', 'rank-1/b']);
    expect((await listAll(bucket, { Prefix: 'rank-1', MaxKeys: 2 })).names).toEqual([
      'rank-1/a',
      'rank-1/b',
      'rank-10/a',
    ]);
    expect((await listAll(bucket, { Prefix: 'nothing' })).names).toEqual([]);
  });

  it('starts after a key, which need not exist', async () => {
    const bucket = await bucketWith(['a', 'b', 'c']);
    expect((await listAll(bucket, { StartAfter: 'a' })).names).toEqual(['b', 'c']);
    expect((await listAll(bucket, { StartAfter: 'aa', MaxKeys: 1 })).names).toEqual(['b', 'c']);
    expect((await listAll(bucket, { StartAfter: 'a', Prefix: 'c' })).names).toEqual(['c']);
    expect((await listAll(bucket, { StartAfter: 'z' })).names).toEqual([]);
  });

  it('rolls keys up to common prefixes', async () => {
    const bucket = await bucketWith(['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4', '/', '//x']);
    const page = await list(bucket, { Delimiter: '/' });
    expect([keysOf(page), prefixesOf(page), page.KeyCount]).toEqual([['a', 'd'], ['/', 'b/', 'e/'], 5]);
    const below = await list(bucket, { Delimiter: '/', Prefix: 'b/' });
    expect([keysOf(below), prefixesOf(below)]).toEqual([['b/1', 'b/2'], ['b/c/']]);
  });

  it('rolls up by delimiters of several characters', async () => {
    const bucket = await bucketWith(['a--b', 'a--c', 'a-d']);
    const page = await list(bucket, { Delimiter: '--' });
    expect([keysOf(page), prefixesOf(page)]).toEqual([['a-d'], ['a--']]);
  });

  it('pages over common prefixes without naming one twice', async () => {
    const keys = ['a/1', 'a/2', 'a/3', 'b', 'c/1', 'c/2', 'd'];
    const bucket = await bucketWith(keys);
    for (const MaxKeys of [1, 2, 3]) {
      const { names } = await listAll(bucket, { Delimiter: '/', MaxKeys });
      expect(names.sort()).toEqual(['a/', 'b', 'c/', 'd']);
    }
  });

  it('writes names as they are, or encoded when asked', async () => {
    const keys = ['a b+c', 'größe/ü', '<&>"', 'x%2Fy'];
    const bucket = await bucketWith(keys);
    expect(keysOf(await list(bucket))).toEqual(['<&>"', 'a b+c', 'größe/ü', 'x%2Fy']);
    const encoded = keysOf(await list(bucket, { EncodingType: 'url' })).map(required);
    expect(encoded).toEqual(['%3C%26%3E%22', 'a+b%2Bc', 'gr%C3%B6%C3%9Fe/%C3%BC', 'x%252Fy']);
  });

  it('gives nothing when asked for nothing', async () => {
    const page = await list(await bucketWith(['a']), { MaxKeys: 0 });
    expect([page.KeyCount, page.IsTruncated]).toEqual([0, false]);
  });

  it('refuses a token that it did not give', async () => {
    const request = list(await s3().bucket(), { ContinuationToken: 'made-up' });
    expect(await failureOf(request)).toBe('400 InvalidArgument');
  });
});
