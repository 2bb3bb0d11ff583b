import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  type ChecksumAlgorithm,
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { base64Of, failureOf, required, s3Contract } from './subject.ts';

const digits = '123456789';
/** The check values of the CRC catalogues for "123456789", and its SHAs. */
const knownSums = {
  CRC32: Buffer.from('cbf43926', 'hex').toString('base64'),
  CRC32C: Buffer.from('e3069283', 'hex').toString('base64'),
  CRC64NVME: Buffer.from('ae8b14860a799888', 'hex').toString('base64'),
  SHA1: createHash('sha1').update(digits).digest('base64'),
  SHA256: createHash('sha256').update(digits).digest('base64'),
} as const;
const algorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;

/** The Checksum... members of an answer, as `{ ChecksumCRC32: ..., ChecksumType: ... }`. */
function sumsOf(answer: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => name.startsWith('Checksum')));
}

s3Contract('checksums', (s3) => {
  it.each(algorithms)('computes, keeps and returns %s', async (algorithm) => {
    const bucket = await s3().bucket();
    const put = await s3().put(bucket, 'key', digits, { ChecksumAlgorithm: algorithm });
    const expected = { [`Checksum${algorithm}`]: knownSums[algorithm], ChecksumType: 'FULL_OBJECT' };
    expect(sumsOf(put)).toEqual(expected);
    const named = { Bucket: bucket, Key: 'key', ChecksumMode: 'ENABLED' } as const;
    expect(sumsOf(await s3().client.send(new HeadObjectCommand(named)))).toEqual(expected);
    const got = await s3().client.send(new GetObjectCommand(named));
    expect(await got.Body?.transformToString()).toBe(digits);
    expect(sumsOf(got)).toEqual(expected);
  });

  it.each(algorithms)('accepts a right %s and refuses a wrong one', async (algorithm) => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', digits, { [`Checksum${algorithm}`]: knownSums[algorithm] });
    const wrong = {
      [`Checksum${algorithm}`]: Buffer.alloc(Buffer.from(knownSums[algorithm], 'base64').length).toString('base64'),
    };
    expect(await failureOf(s3().put(bucket, 'wrong', digits, wrong))).toBe('400 BadDigest');
    expect(await failureOf(s3().read(bucket, 'wrong'))).toBe('404 NoSuchKey');
  });

  it('refuses a checksum that is none', async () => {
    const bucket = await s3().bucket();
    expect(await failureOf(s3().put(bucket, 'key', digits, { ChecksumCRC32: 'no' }))).toBe('400 InvalidRequest');
    expect(await failureOf(s3().put(bucket, 'key', digits, { ChecksumSHA256: knownSums.CRC32 }))).toBe(
      '400 InvalidRequest',
    );
  });

  it('checks Content-MD5', async () => {
    const bucket = await s3().bucket();
    const md5 = (text: string) => createHash('md5').update(text).digest('base64');
    await s3().put(bucket, 'key', digits, { ContentMD5: md5(digits) });
    expect(await failureOf(s3().put(bucket, 'key', digits, { ContentMD5: md5('other') }))).toBe('400 BadDigest');
    expect(await failureOf(s3().put(bucket, 'key', digits, { ContentMD5: 'bm8=' }))).toBe('400 InvalidDigest');
  });

  it.each(['CRC32', 'SHA256', 'CRC64NVME'] satisfies ChecksumAlgorithm[])(
    'checks the %s that follows a stream in a trailer',
    async (algorithm) => {
      const bucket = await s3().bucket();
      const put = await s3().client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: 'key',
          Body: Readable.from([Buffer.from(digits)]),
          ContentLength: digits.length,
          ChecksumAlgorithm: algorithm,
        }),
      );
      expect(sumsOf(put)).toEqual({ [`Checksum${algorithm}`]: knownSums[algorithm], ChecksumType: 'FULL_OBJECT' });
    },
  );

  it('returns no checksum with a range, which it would not match', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'key', digits);
    const got = await s3().client.send(
      new GetObjectCommand({ Bucket: bucket, Key: 'key', Range: 'bytes=2-4', ChecksumMode: 'ENABLED' }),
    );
    expect(await got.Body?.transformToString()).toBe('345');
    expect(sumsOf(got)).toEqual({});
  });

  it('keeps a copy’s checksum algorithm', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', digits, { ChecksumAlgorithm: 'SHA256' });
    const { CopyObjectResult } = await s3().client.send(
      new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/source` }),
    );
    expect(sumsOf(required(CopyObjectResult))).toEqual({
      ChecksumSHA256: knownSums.SHA256,
      ChecksumType: 'FULL_OBJECT',
    });
  });

  it.each(algorithms)('computes %s for a copy that asks for it', async (algorithm) => {
    const bucket = await s3().bucket();
    const large = Buffer.alloc(300_000, digits);
    await s3().put(bucket, 'source', large);
    const copy = { Bucket: bucket, Key: 'copy', CopySource: `${bucket}/source`, ChecksumAlgorithm: algorithm };
    const { CopyObjectResult } = await s3().client.send(new CopyObjectCommand(copy));
    const direct = await s3().put(bucket, 'direct', large, { ChecksumAlgorithm: algorithm });
    expect(sumsOf(required(CopyObjectResult))).toEqual(sumsOf(direct));
    const again = await s3().client.send(new CopyObjectCommand({ ...copy, Key: 'copy-2' }));
    expect(sumsOf(required(again.CopyObjectResult))).toEqual(sumsOf(direct));
  });

  it('sums empty objects', async () => {
    const bucket = await s3().bucket();
    const put = await s3().put(bucket, 'empty', '');
    expect(put.ChecksumCRC32).toBe(base64Of(crc32('')));
    const copy = {
      Bucket: bucket,
      Key: 'copy',
      CopySource: `${bucket}/empty`,
      ChecksumAlgorithm: 'CRC64NVME',
    } as const;
    const { CopyObjectResult } = await s3().client.send(new CopyObjectCommand(copy));
    expect(CopyObjectResult?.ChecksumCRC64NVME).toBe('AAAAAAAAAAA=');
  });

  it('keeps a CRC64NVME for what was sent without any checksum', async () => {
    const bucket = await s3().bucket();
    const client = s3().withoutChecksums();
    const put = await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: digits }));
    client.destroy();
    const expected = { ChecksumCRC64NVME: knownSums.CRC64NVME, ChecksumType: 'FULL_OBJECT' };
    expect(sumsOf(put)).toEqual(expected);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key', ChecksumMode: 'ENABLED' }));
    expect(sumsOf(head)).toEqual(expected);
  });
});
