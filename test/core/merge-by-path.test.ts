import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListingOutOfOrder } from '../../core/errors.ts';
import { mergeByPath } from '../../core/merge-by-path.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { collect } from '../support/byte-streams.ts';

interface Item {
  readonly path: string;
  readonly of: number;
}

const paths = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u{ffe0}', '😀'), maxLength: 3 }));

function streamed(items: readonly string[], of = 0): { stream: AsyncGenerator<Item>; closed: () => boolean } {
  const state = { closed: false };
  async function* generate(): AsyncGenerator<Item> {
    try {
      for (const path of items) {
        yield { path, of };
      }
    } finally {
      state.closed = true;
    }
  }
  return { stream: generate(), closed: () => state.closed };
}

describe('merging streams by path', () => {
  it('gives the groups of the sorted whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(paths, { maxLength: 5 }), async (lists) => {
        const sorted = lists.map((list) => list.toSorted(compareUtf8));
        const merged = await collect(mergeByPath(sorted.map((list, of) => streamed(list, of).stream)));
        const all = [...new Set(lists.flat())].toSorted(compareUtf8);
        const expected = all.map((path) => ({
          path,
          items: sorted.flatMap((list, of) => (list.includes(path) ? [{ path, of }] : [])),
        }));
        expect(merged).toEqual(expected);
      }),
    );
  });

  it.each([[['b', 'a']], [['a', 'a']], [['😀', '\u{ffe0}']]])(
    'refuses a stream that is out of order: %j',
    async (list) => {
      const other = streamed(['a', 'c']);
      const merging = collect(mergeByPath([other.stream, streamed(list).stream]));
      await expect(merging).rejects.toThrow(ListingOutOfOrder);
      expect(other.closed()).toBe(true);
    },
  );

  it('closes every stream when the reader stops early', async () => {
    const streams = [streamed(['a', 'c']), streamed(['b', 'd'])];
    for await (const { path } of mergeByPath(streams.map(({ stream }) => stream))) {
      expect(path).toBe('a');
      break;
    }
    expect(streams.map(({ closed }) => closed())).toEqual([true, true]);
  });
});
