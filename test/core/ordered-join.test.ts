import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListingOutOfOrder } from '../../core/errors.ts';
import { after as goOnAfter, joinByPath, nothing } from '../../core/ordered-join.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { collect } from '../support/byte-streams.ts';

interface Item {
  readonly path: string;
}

const paths = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{ffe0}', '😀'), maxLength: 4 }));

/** A stream that says whether it was closed. */
function streamed(items: readonly string[]): { stream: AsyncGenerator<Item>; closed: () => boolean } {
  const state = { closed: false };
  async function* generate(): AsyncGenerator<Item> {
    try {
      for (const path of items) {
        yield { path };
      }
    } finally {
      state.closed = true;
    }
  }
  return { stream: generate(), closed: () => state.closed };
}

const joined = (left: readonly string[], right: readonly string[]) =>
  collect(joinByPath(streamed(left).stream, streamed(right).stream));

describe('joining two streams by path', () => {
  it('gives what a join of the lists gives, in order', async () => {
    await fc.assert(
      fc.asyncProperty(paths, paths, async (left, right) => {
        const [lefts, rights] = [left.toSorted(compareUtf8), right.toSorted(compareUtf8)];
        const all = [...new Set([...left, ...right])].toSorted(compareUtf8);
        const found = await joined(lefts, rights);
        expect(found.map((pair) => [pair.left?.path, pair.right?.path])).toEqual(
          all.map((path) => [left.includes(path) ? path : undefined, right.includes(path) ? path : undefined]),
        );
      }),
    );
  });

  it('with nothing gives the other side alone', async () => {
    expect(await collect(joinByPath(streamed(['a']).stream, nothing()))).toEqual([
      { left: { path: 'a' }, right: undefined },
    ]);
  });

  it.each([
    [['b', 'a'], [], 'left'],
    [[], ['a', 'a'], 'right'],
    [['😀', '\u{ffe0}'], ['a'], 'left'],
  ])('refuses streams that are out of order: %j, %j', async (left, right, side) => {
    await expect(joined(left, right)).rejects.toThrow(`The ${side} stream is out of order`);
  });

  it('closes both sources when the reader stops early', async () => {
    const [left, right] = [streamed(['a', 'c', 'd']), streamed(['b', 'c', 'd'])];
    for await (const pair of joinByPath(left.stream, right.stream)) {
      if (pair.right?.path === 'b') {
        break;
      }
    }
    expect([left.closed(), right.closed()]).toEqual([true, true]);
  });

  it('closes the other source when one fails', async () => {
    const [left, right] = [streamed(['b', 'a']), streamed(['b', 'c'])];
    await expect(collect(joinByPath(left.stream, right.stream))).rejects.toThrow(ListingOutOfOrder);
    expect(right.closed()).toBe(true);
  });
});

describe('going on after a path', () => {
  it('drops everything up to and including it', async () => {
    const { stream } = streamed(['a', 'b', '\u{ffe0}', '😀']);
    expect(await collect(goOnAfter(stream, '\u{ffe0}'))).toEqual([{ path: '😀' }]);
  });

  it('drops nothing without a path', async () => {
    expect(await collect(goOnAfter(streamed(['', 'a']).stream, undefined))).toHaveLength(2);
  });
});
