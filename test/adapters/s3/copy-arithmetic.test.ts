import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MULTIPART_COPY_ABOVE_BYTES, rangeSizeFor, rangesOf } from '../../../adapters/s3/copy-ranges.ts';
import { sourceHeaders } from '../../../adapters/s3/copy-source.ts';
import { combineCrc64 } from '../../../adapters/s3/crc64-combine.ts';
import { copySourceOf, parseS3Url } from '../../../adapters/s3/s3-url.ts';
import { base64Of } from '../../../core/checksum.ts';
import { variedBytes } from '../../support/byte-streams.ts';
import { checksumOfBytes } from '../../support/checksum-of-bytes.ts';

const MIB = 1024 ** 2;
const TIB = 1024 ** 4;

describe('ranges of a multipart copy', () => {
  it('cover every size up to 5 TiB once, in parts that S3 takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: MULTIPART_COPY_ABOVE_BYTES + 1, max: 5 * TIB }), (sizeBytes) => {
        const rangeSizeBytes = rangeSizeFor(sizeBytes);
        expect(Math.ceil(sizeBytes / rangeSizeBytes)).toBeLessThanOrEqual(10_000);
        expect(rangeSizeBytes % MIB).toBe(0);
        expect(rangeSizeBytes).toBeGreaterThanOrEqual(5 * MIB);
        expect(rangeSizeBytes).toBeLessThanOrEqual(5 * 1024 * MIB);
      }),
    );
    expect(rangesOf(5 * TIB, rangeSizeFor(5 * TIB))).toHaveLength(Math.ceil((5 * TIB) / rangeSizeFor(5 * TIB)));
  });

  it('lie end to end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 999 }),
        (sizeBytes, rangeSizeBytes) => {
          let next = 0;
          for (const [index, range] of rangesOf(sizeBytes, rangeSizeBytes).entries()) {
            expect(range.partNumber).toBe(index + 1);
            expect(range.header).toBe(`bytes=${next}-${next + range.sizeBytes - 1}`);
            next += range.sizeBytes;
          }
          expect(next).toBe(sizeBytes);
        },
      ),
    );
  });
});

describe('CRC64NVME of runs', () => {
  it('is that of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), async (runs) => {
        const parts = await Promise.all(
          runs.map(async (run) => ({
            base64: base64Of(await checksumOfBytes('CRC64NVME', run)),
            sizeBytes: run.length,
          })),
        );
        expect(combineCrc64(parts)).toBe(base64Of(await checksumOfBytes('CRC64NVME', Buffer.concat(runs))));
      }),
    );
  });

  it('holds for long runs of one length', async () => {
    const whole = variedBytes(3 * MIB + 17);
    const parts = await Promise.all(
      rangesOf(whole.byteLength, MIB).map(async ({ sizeBytes, partNumber }) => ({
        base64: base64Of(await checksumOfBytes('CRC64NVME', whole.subarray((partNumber - 1) * MIB, partNumber * MIB))),
        sizeBytes,
      })),
    );
    expect(combineCrc64(parts)).toBe(base64Of(await checksumOfBytes('CRC64NVME', whole)));
  });
});

describe('names of S3', () => {
  it.each([
    ['s3://bucket', { bucket: 'bucket', prefix: '' }],
    ['s3://bucket/', { bucket: 'bucket', prefix: '' }],
    ['s3://bucket/a/b+c%20d', { bucket: 'bucket', prefix: 'a/b+c%20d/' }],
    ['s3://bucket/a/', { bucket: 'bucket', prefix: 'a/' }],
  ])('%s is parsed as written', (url, parsed) => {
    expect(parseS3Url(url)).toEqual(parsed);
  });

  it('refuses what is no S3 URL', () => {
    expect(() => parseS3Url('file:///x')).toThrow(expect.objectContaining({ name: 'ConfigInvalid' }));
  });

  it('encodes copy sources segment by segment, versions apart', () => {
    const key = 'a b+c%20d/ü\u{1f600}?versionId=x#/&=';
    const header = copySourceOf('bucket', key, 'v/+1');
    expect(header).toBe(
      `bucket/a%20b%2Bc%2520d/${encodeURIComponent('ü\u{1f600}?versionId=x#')}/%26%3D?versionId=v%2F%2B1`,
    );
    const [path = ''] = header.split('?versionId=');
    expect(decodeURIComponent(path)).toBe(`bucket/${key}`);
  });

  it('carries every pin and the expected owner', () => {
    expect(
      sourceHeaders({ bucket: 'b', key: 'k', etag: '"e"', versionId: 'v', expectedBucketOwner: '123456789012' }),
    ).toEqual({
      CopySource: 'b/k?versionId=v',
      CopySourceIfMatch: '"e"',
      ExpectedSourceBucketOwner: '123456789012',
    });
  });
});
