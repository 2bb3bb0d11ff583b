import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineCrc32 } from '../../../adapters/file/crc32-combine.ts';
import { MAX_RANGES, rangeSizeOf, rangesOf } from '../../../adapters/file/part-ranges.ts';

describe('combining CRC32s', () => {
  it('gives the CRC32 of the pieces put together', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.uint8Array({ maxLength: 5_000 }), (first, second) => {
        expect(combineCrc32(crc32(first), crc32(second), second.byteLength)).toBe(
          crc32(Buffer.concat([first, second])),
        );
      }),
    );
  });

  it('is right for lengths beyond 32 bits: appending zeros twice is appending twice as many', () => {
    const half = 2 ** 40 + 12_345;
    const zerosOf = (sizeBytes: number) => combineCrc32(0xffffffff, 0, sizeBytes);
    const start = 0x12345678;
    expect(combineCrc32(combineCrc32(start, 0, half), 0, half)).toBe(combineCrc32(start, 0, 2 * half));
    expect(zerosOf(half)).not.toBe(zerosOf(2 * half));
  });
});

describe('ranges of a part', () => {
  it('cover the part without gap or overlap, the last one shorter', () => {
    const ranges = [...rangesOf(20 * 1024 ** 2 + 1)];
    expect(ranges.map((range) => range.number)).toEqual([1, 2, 3]);
    expect(ranges.map((range) => range.offsetBytes)).toEqual([0, 8 * 1024 ** 2, 16 * 1024 ** 2]);
    expect(ranges.at(-1)?.sizeBytes).toBe(4 * 1024 ** 2 + 1);
  });

  it('grow so that 5 TiB fit in 10,000', () => {
    const size = 5 * 1024 ** 4;
    expect(rangeSizeOf(size)).toBe(525 * 1024 ** 2);
    expect(Math.ceil(size / rangeSizeOf(size))).toBeLessThanOrEqual(MAX_RANGES);
    expect(rangeSizeOf(10_000 * 8 * 1024 ** 2)).toBe(8 * 1024 ** 2);
    expect(rangeSizeOf(10_000 * 8 * 1024 ** 2 + 1)).toBe(9 * 1024 ** 2);
  });
});
