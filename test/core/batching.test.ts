import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BATCH_LIMITS, cut, WINDOW_LIMITS } from '../../core/batching.ts';
import { interleave } from '../../core/interleave.ts';
import { collect } from '../support/byte-streams.ts';

async function* parts(sizes: readonly number[]) {
  for (const sizeBytes of sizes) {
    yield { sizeBytes };
  }
}

const cutSizes = async (sizes: readonly number[], maxParts: number, maxBytes: number) =>
  (await collect(cut(parts(sizes), { maxParts, maxBytes }))).map((each) => each.map(({ sizeBytes }) => sizeBytes));

describe('cutting parts into batches', () => {
  it.each<[string, number[], number[][]]>([
    ['nothing gives no batch', [], []],
    ['up to the limit of parts go together', [1, 1, 1], [[1, 1, 1]]],
    ['one part more begins the next', [1, 1, 1, 1], [[1, 1, 1], [1]]],
    ['up to the limit of bytes go together', [60, 40, 0], [[60, 40, 0]]],
    ['one byte more begins the next', [60, 41], [[60], [41]]],
    ['a huge part is alone', [1, 500, 1], [[1], [500], [1]]],
    ['a huge part is alone also among empty ones', [0, 500, 0], [[0], [500], [0]]],
    ['a huge part may be first and last', [500, 500], [[500], [500]]],
  ])('%s', async (_what, sizes, batches) => {
    expect(await cutSizes(sizes, 3, 100)).toEqual(batches);
  });

  it('loses nothing, keeps the order, and is the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(150)), async (sizes) => {
        const batches = await cutSizes(sizes, 5, 100);
        expect(batches.flat()).toEqual(sizes);
        expect(await cutSizes(sizes, 5, 100)).toEqual(batches);
        for (const batch of batches) {
          expect(batch.length <= 5 && (batch.length === 1 || batch.reduce((a, b) => a + b) <= 100)).toBe(true);
        }
      }),
    );
  });

  it('has windows that are parts of batches', () => {
    expect(WINDOW_LIMITS.maxParts).toBeLessThanOrEqual(BATCH_LIMITS.maxParts);
    expect(WINDOW_LIMITS.maxBytes).toBeLessThanOrEqual(BATCH_LIMITS.maxBytes);
  });
});

describe('interleaving batches over ranks', () => {
  it('takes the first of every rank before the second of any', () => {
    const lists = [
      { rank: 0, batches: ['a0'] },
      { rank: 1, batches: ['b0', 'b1', 'b2'] },
      { rank: 2, batches: [] },
      { rank: 'cluster' as const, batches: ['d0', 'd1'] },
    ];
    expect([...interleave(lists)].map(({ batch }) => batch)).toEqual(['a0', 'b0', 'd0', 'b1', 'd1', 'b2']);
  });

  it('of nothing is nothing', () => {
    expect([...interleave([])]).toEqual([]);
  });
});
