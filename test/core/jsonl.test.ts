import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CatalogCorrupt, StoreUnavailable } from '../../core/errors.ts';
import { gzipJsonLines, plainJsonLines, readGzipJsonLines } from '../../core/jsonl.ts';
import { bytesOf, collect, streamOf } from '../support/byte-streams.ts';

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values;
}

const written = (values: Iterable<unknown>) => bytesOf(gzipJsonLines(each(values)));
const read = (bytes: Uint8Array) => collect(readGzipJsonLines(streamOf(bytes, 16_384), 'the object'));

describe('gzipped JSON lines', () => {
  it('come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ noUnicodeString: false }), { maxLength: 20 }), async (values) => {
        expect(await read(await written(values))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
      { numRuns: 50 },
    );
  });

  it('give the same bytes for the same lines', async () => {
    const values = [{ path: 'a' }, { path: 'ü😀' }];
    expect(Buffer.compare(await written(values), await written(values))).toBe(0);
  });

  it('are one JSON text a line', async () => {
    expect(gunzipSync(await written([{ a: 1 }, 'x'])).toString()).toBe('{"a":1}\n"x"\n');
    expect(Buffer.from(await bytesOf(plainJsonLines(each([{ a: 1 }, 'x'])))).toString()).toBe('{"a":1}\n"x"\n');
  });

  it('are read whole when a character lies across two chunks', async () => {
    const bytes = await written(['😀'.repeat(1000)]);
    expect(await collect(readGzipJsonLines(streamOf(bytes, 1), 'the object'))).toEqual(['😀'.repeat(1000)]);
  });

  it.each<[string, (whole: Uint8Array) => Uint8Array, string]>([
    ['a truncated gzip', (whole) => whole.subarray(0, whole.length - 9), 'its gzip is broken'],
    ['a cut checksum', (whole) => whole.subarray(0, whole.length - 2), 'its gzip is broken'],
    ['half a line', () => gzipSync('{"a":1}\n{"a":'), 'it ends within line 2'],
    ['half a character', () => gzipSync(Buffer.from([0x31, 0x0a, 0xf0, 0x9f])), 'it ends within line 2'],
    ['a line that is not JSON', () => gzipSync('{"a":1}\nnonsense\n'), 'line 2 is not JSON'],
    ['an empty line', () => gzipSync('{"a":1}\n\n'), 'line 2 is not JSON'],
    ['no gzip at all', () => Buffer.from('{"a":1}\n'), 'its gzip is broken after line 0'],
  ])('with %s are CatalogCorrupt', async (_what, damage, problem) => {
    const bytes = damage(await written([{ a: 1 }, { b: 2 }]));
    await expect(read(bytes)).rejects.toThrow(CatalogCorrupt);
    await expect(read(bytes)).rejects.toThrow(`the object cannot be read: ${problem}`);
  });

  it('pass on what the store says when it fails in the middle', async () => {
    const bytes = await written(Array.from({ length: 50_000 }, (_, index) => ({ index })));
    async function* breaking() {
      yield bytes.subarray(0, 1000);
      throw new StoreUnavailable('S3 went away.', { hint: 'Try again.' });
    }
    await expect(collect(readGzipJsonLines(breaking(), 'the object'))).rejects.toThrow(StoreUnavailable);
  });

  it('pass on what their source throws', async () => {
    async function* breaking() {
      yield { a: 1 };
      throw new RangeError('out of order');
    }
    await expect(bytesOf(gzipJsonLines(breaking()))).rejects.toThrow('out of order');
  });

  it('of a large stream are held in pieces only', async () => {
    let made = 0;
    async function* many() {
      for (; made < 300_000; made += 1) {
        yield { path: `tom-${made % 7}/${made}`, token: `s3:${made * 7919}` };
      }
    }
    let readLines = 0;
    let furthestAhead = 0;
    for await (const _line of readGzipJsonLines(gzipJsonLines(many()), 'the object')) {
      readLines += 1;
      furthestAhead = Math.max(furthestAhead, made - readLines);
    }
    expect(readLines).toBe(300_000);
    expect(furthestAhead).toBeLessThan(100_000);
  });

  it('close their source when the reader stops early', async () => {
    let closed = false;
    async function* body() {
      try {
        const bytes = await written(Array.from({ length: 100_000 }, (_, index) => `${index * 7919}`));
        yield* streamOf(bytes, 1024);
      } finally {
        closed = true;
      }
    }
    for await (const value of readGzipJsonLines(body(), 'the object')) {
      if (value === '0') {
        break;
      }
    }
    await expect.poll(() => closed).toBe(true);
  });
});
