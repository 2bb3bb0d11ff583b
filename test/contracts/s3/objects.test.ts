import { Readable } from 'node:stream';
import { CopyObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { failureOf, patterned, required, s3Contract } from './subject.ts';

s3Contract('objects', (s3) => {
  it('gives back the bytes and the headers that were put', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'greeting', 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'en',
      Metadata: { rank: '3', 'tom-id': '7' },
    });
    const answer = await s3().client.send(new GetObjectCommand({ Bucket: bucket, Key: 'greeting' }));
    expect(await answer.Body?.transformToString()).toBe('hello');
    expect(answer).toMatchObject({
      ContentLength: 5,
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'en',
      AcceptRanges: 'bytes',
      Metadata: { rank: '3', 'tom-id': '7' },
    });
  });

  it('says the same by HEAD, without the bytes', async () => {
    const bucket = await s3().bucket();
    const { ETag } = await s3().put(bucket, 'greeting', 'hello', { Metadata: { rank: '3' } });
    const answer = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'greeting' }));
    expect(answer).toMatchObject({ ContentLength: 5, ETag, Metadata: { rank: '3' } });
    expect(required(answer.LastModified).getMilliseconds()).toBe(0);
  });

  it('keeps objects of no bytes', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'empty', '');
    expect(await s3().read(bucket, 'empty')).toHaveLength(0);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'empty' }));
    expect(head.ContentLength).toBe(0);
  });

  it('keeps objects of many sizes byte for byte', async () => {
    const bucket = await s3().bucket();
    for (const size of [1, 16_383, 16_384, 16_385, 65_537, 3_000_001]) {
      const bytes = patterned(size);
      await s3().put(bucket, `size-${size}`, bytes);
      expect((await s3().read(bucket, `size-${size}`)).equals(bytes)).toBe(true);
    }
  });

  it('takes a stream whose checksum follows in a trailer', async () => {
    const bucket = await s3().bucket();
    const pieces = [patterned(70_000, 1), patterned(1, 2), patterned(130_000, 3)];
    const whole = Buffer.concat(pieces);
    await s3().client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: 'streamed',
        Body: Readable.from(pieces),
        ContentLength: whole.length,
      }),
    );
    expect((await s3().read(bucket, 'streamed')).equals(whole)).toBe(true);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'streamed' }));
    expect(head.ContentEncoding ?? '').not.toContain('aws-chunked');
  });

  it.each([
    ['with spaces', 'a b  c'],
    ['with a plus', 'a+b'],
    ['with a percent', '100%25 %2F %'],
    ['with unicode', 'größe/数据/é'],
    ['beyond the BMP', '𐀀/😀'],
    ['with decomposed unicode', 'e\u0301'],
    ['with runs of slashes', '//a///b//'],
    ['with characters of URLs', "?a=b&c=d#e;f:@g!$'()*,[]"],
    ['with markup', '<Key>&amp;"</Key>'],
    ['of 1,024 bytes', 'k'.repeat(1024)],
    ['of 1,024 bytes of unicode', 'ü'.repeat(512)],
  ])('keeps a key %s', async (_name, key) => {
    const bucket = await s3().bucket();
    await s3().put(bucket, key, key);
    expect(await s3().text(bucket, key)).toBe(key);
    const CopySource = `${bucket}/${encodeURIComponent(key)}`;
    await s3().client.send(new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource }));
    expect(await s3().text(bucket, 'copy')).toBe(key);
  });

  it('tells keys apart that differ in case or in unicode normal form', async () => {
    const bucket = await s3().bucket();
    for (const key of ['Key', 'key', 'KEY', 'é', 'e\u0301']) await s3().put(bucket, key, `of ${key}`);
    for (const key of ['Key', 'key', 'KEY', 'é', 'e\u0301']) expect(await s3().text(bucket, key)).toBe(`of ${key}`);
  });

  it('refuses a key of more than 1,024 bytes', async () => {
    const bucket = await s3().bucket();
    expect(await failureOf(s3().put(bucket, 'k'.repeat(1025)))).toBe('400 KeyTooLongError');
    expect(await failureOf(s3().put(bucket, 'ü'.repeat(513)))).toBe('400 KeyTooLongError');
  });

  it('overwrites, and gives every write another ETag', async () => {
    const bucket = await s3().bucket();
    const first = await s3().put(bucket, 'key', 'one');
    const second = await s3().put(bucket, 'key', 'two');
    expect(await s3().text(bucket, 'key')).toBe('two');
    expect(second.ETag).not.toBe(first.ETag);
    expect(second.ETag).toMatch(/^"[^"]+"$/);
  });

  it('names what is missing', async () => {
    const bucket = await s3().bucket();
    expect(await failureOf(s3().read(bucket, 'nothing'))).toBe('404 NoSuchKey');
    expect(await failureOf(s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'nothing' })))).toBe('404');
    expect(await failureOf(s3().read(`${bucket}-none`, 'key'))).toBe('404 NoSuchBucket');
    expect(await failureOf(s3().put(`${bucket}-none`, 'key'))).toBe('404 NoSuchBucket');
  });

  it('keeps the storage class, and names none for the standard one', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'cold', 'x', { StorageClass: 'STANDARD_IA' });
    await s3().put(bucket, 'standard', 'x');
    const cold = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'cold' }));
    const standard = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'standard' }));
    expect([cold.StorageClass, standard.StorageClass]).toEqual(['STANDARD_IA', undefined]);
  });

  it('refuses to read an archived object, and still describes it', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'archived', 'x', { StorageClass: 'DEEP_ARCHIVE' });
    expect(await failureOf(s3().read(bucket, 'archived'))).toBe('403 InvalidObjectState');
    const copy = new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/archived` });
    expect(await failureOf(s3().client.send(copy))).toBe('403 InvalidObjectState');
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'archived' }));
    expect(head.StorageClass).toBe('DEEP_ARCHIVE');
  });

  it('remembers how an object is encrypted', async () => {
    const bucket = await s3().bucket();
    const put = await s3().put(bucket, 'sealed', 'x', { ServerSideEncryption: 'AES256' });
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'sealed' }));
    expect([put.ServerSideEncryption, head.ServerSideEncryption]).toEqual(['AES256', 'AES256']);
  });

  it('counts tags', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'tagged', 'x', { Tagging: 'a=1&b=two%20words' });
    const answer = await s3().client.send(new GetObjectCommand({ Bucket: bucket, Key: 'tagged' }));
    expect(answer.TagCount).toBe(2);
  });

  it('refuses more than 2 KB of user metadata', async () => {
    const bucket = await s3().bucket();
    const put = s3().put(bucket, 'key', 'x', { Metadata: { long: 'v'.repeat(2100) } });
    expect(await failureOf(put)).toBe('400 MetadataTooLarge');
  });
});

s3Contract('ranges', (s3) => {
  const bytes = patterned(100_000);

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=99990-', 99_990, 100_000],
    ['bytes=-7', 99_993, 100_000],
    ['bytes=99999-200000', 99_999, 100_000],
    ['bytes=-200000', 0, 100_000],
  ])('answers %s with just these bytes', async (Range, start, end) => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', bytes);
    const answer = await s3().client.send(new GetObjectCommand({ Bucket: bucket, Key: 'key', Range }));
    const got = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    expect(got.equals(bytes.subarray(start, end))).toBe(true);
    expect(answer).toMatchObject({
      ContentLength: end - start,
      ContentRange: `bytes ${start}-${end - 1}/100000`,
      $metadata: { httpStatusCode: 206 },
    });
  });

  it('takes ranges of small objects too', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'hello');
    expect(await s3().text(bucket, 'key', { Range: 'bytes=1-3' })).toBe('ell');
  });

  it('refuses a range that begins after the end, and any range of an empty object', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', 'hello');
    await s3().put(bucket, 'empty', '');
    expect(await failureOf(s3().read(bucket, 'key', { Range: 'bytes=5-' }))).toBe('416 InvalidRange');
    expect(await failureOf(s3().read(bucket, 'empty', { Range: 'bytes=0-' }))).toBe('416 InvalidRange');
  });
});
