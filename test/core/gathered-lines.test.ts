import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatheredLines } from '../../core/gathered-lines.ts';
import { gzipJsonLines, gzipLineBytes } from '../../core/jsonl.ts';
import { bytesOf, streamOf, variedBytes } from '../support/byte-streams.ts';

const takenText = (lines: GatheredLines): string => Buffer.concat(lines.take()).toString('utf8');

/** Compared as a yes or no: nobody wants to read the difference of a megabyte. */
const holds = (lines: GatheredLines, values: readonly unknown[]): boolean => takenText(lines) === textOf(values);

const textOf = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

function gathered(values: readonly unknown[]): GatheredLines {
  const lines = new GatheredLines();
  for (const value of values) {
    lines.add(value);
  }
  return lines;
}

/** Lines that compress as little as real ones. */
const manyValues = (count: number): readonly object[] => {
  const varied = Buffer.from(variedBytes(count * 16)).toString('hex');
  return Array.from({ length: count }, (_, index) => ({
    path: `tom-1/größe-${1_000_000 + index}.seg`,
    token: `s3:${varied.slice(index * 32, index * 32 + 32)}`,
  }));
};

describe('gathered lines', () => {
  it('are the texts of their values, a line each', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 20 }), (values) => {
        const lines = gathered(values);
        expect(lines.lines).toBe(values.length);
        expect(takenText(lines)).toBe(textOf(values));
      }),
    );
  });

  it('say their size but for the last ones, and begin anew when they are taken', () => {
    const lines = gathered(manyValues(10_000));
    const sizeBytes = Buffer.byteLength(textOf(manyValues(10_000)));
    expect(lines.sizeBytes).toBeGreaterThan(sizeBytes - 100_000);
    expect(lines.sizeBytes).toBeLessThanOrEqual(sizeBytes);
    lines.take();
    expect([lines.lines, lines.sizeBytes, lines.take()]).toEqual([0, 0, []]);
  });

  it('are not disturbed by those that come after, until they are given back', () => {
    const [first, second, third] = [manyValues(8_000), manyValues(9_000).slice(8_000), manyValues(5_000)];
    const lines = gathered(first);
    const [taken, text] = [lines.take(), textOf(first)];
    for (const value of second) {
      lines.add(value);
    }
    expect(Buffer.concat(taken).toString('utf8') === text).toBe(true);
    lines.giveBack(taken);
    expect(holds(lines, second)).toBe(true);
    for (const value of third) {
      lines.add(value);
    }
    expect(holds(lines, third)).toBe(true);
  });

  it('use the memory that was given back', () => {
    const lines = gathered(manyValues(8_000));
    const taken = lines.take();
    const buffers = new Set(taken.map(({ buffer }) => buffer));
    lines.giveBack(taken);
    for (const value of manyValues(8_000)) {
      lines.add(value);
    }
    expect(lines.take().every(({ buffer }) => buffers.has(buffer))).toBe(true);
  });

  it.each([
    ['a line', ['x'.repeat(400_000)]],
    ['lines of three bytes a character', Array.from({ length: 3 }, () => '€'.repeat(65_000))],
    ['lines around one', ['small', '€'.repeat(200_000), { a: 1 }, 'x'.repeat(300_000), 'small']],
  ])('take %s larger than a block', (_what, values) => {
    const lines = gathered(values);
    const taken = lines.take();
    expect(Buffer.concat(taken).toString('utf8') === textOf(values)).toBe(true);
    lines.giveBack(taken);
    lines.add(values);
    expect(holds(lines, [values])).toBe(true);
  });
});

describe('gzipped lines', () => {
  it('are the same bytes, however they were gathered and cut', async () => {
    const values = manyValues(20_000);
    const whole = gzipSync(textOf(values), { level: 6 });
    async function* each() {
      yield* values;
    }
    expect(Buffer.compare(await bytesOf(gzipJsonLines(each())), whole)).toBe(0);
    expect(Buffer.compare(await bytesOf(gzipLineBytes(gathered(values).take())), whole)).toBe(0);
    for (const cutBytes of [1_000, 65_537, 300_001]) {
      const cut: Uint8Array[] = [];
      for await (const bytes of streamOf(textOf(values), cutBytes)) {
        cut.push(bytes);
      }
      expect(Buffer.compare(await bytesOf(gzipLineBytes(cut)), whole)).toBe(0);
    }
  });

  it('of nothing are an empty gzip', async () => {
    expect(gunzipSync(await bytesOf(gzipLineBytes(new GatheredLines().take()))).byteLength).toBe(0);
  });
});
