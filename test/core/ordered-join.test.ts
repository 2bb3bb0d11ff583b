import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemsOf } from '../../core/blocks.ts';
import { ListingOutOfOrder } from '../../core/errors.ts';
import {
  after as goOnAfter,
  afterInBlocks as goOnInBlocks,
  joinByPath,
  nothing,
  visitJoined,
} from '../../core/ordered-join.ts';
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

/** As `streamed`, in blocks of the given sizes, empty ones included. */
function inBlocks(items: readonly string[], sizes: readonly number[]) {
  const state = { closed: false };
  async function* generate(): AsyncGenerator<Iterable<Item>> {
    try {
      let start = 0;
      for (let block = 0; start < items.length; block += 1) {
        const end = start + (sizes[block % sizes.length] ?? 1);
        yield items.slice(start, end).map((path) => ({ path }));
        start = end;
      }
    } finally {
      state.closed = true;
    }
  }
  return { blocks: generate(), closed: () => state.closed };
}

const sizes = fc
  .array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 })
  .filter((list) => list.some((size) => size > 0));

describe('visiting the pairs of two streams', () => {
  it('visits what the join gives, in order, whatever the blocks and whatever is waited for', async () => {
    await fc.assert(
      fc.asyncProperty(
        paths,
        paths,
        sizes,
        fc.array(fc.boolean(), { minLength: 1 }),
        async (left, right, cut, waits) => {
          const [lefts, rights] = [left.toSorted(compareUtf8), right.toSorted(compareUtf8)];
          const visited: unknown[] = [];
          let waiting = false;
          await visitJoined(streamed(lefts).stream, inBlocks(rights, cut).blocks, (l, r) => {
            expect(waiting).toBe(false);
            visited.push({ left: l, right: r });
            if (waits[visited.length % waits.length] !== true) {
              return undefined;
            }
            waiting = true;
            return Promise.resolve().then(() => {
              waiting = false;
            });
          });
          expect(visited).toEqual(await joined(lefts, rights));
        },
      ),
    );
  });

  it.each([
    [['b', 'a'], ['c'], 'left', ['b']],
    [['a'], ['a', 'a'], 'right', ['a']],
    [['a', 'd'], ['b', 'a'], 'right', ['a', 'b']],
  ])('refuses streams that are out of order, after what came before: %j, %j', async (left, right, side, before) => {
    const [lefts, rights] = [streamed(left), inBlocks(right, [2])];
    const visited: unknown[] = [];
    const visiting = visitJoined(lefts.stream, rights.blocks, (l, r) => {
      visited.push(l?.path ?? r?.path);
      return undefined;
    });
    await expect(visiting).rejects.toThrow(ListingOutOfOrder);
    await expect(visiting).rejects.toThrow(`The ${side} stream is out of order: "a" after`);
    expect(visited).toEqual(before);
    expect([lefts.closed(), rights.closed()]).toEqual([true, true]);
  });

  it('closes both sources when it is told to stop', async () => {
    const [lefts, rights] = [streamed(['a', 'c', 'd']), inBlocks(['b', 'c', 'd'], [2])];
    const visited: unknown[] = [];
    await visitJoined(lefts.stream, rights.blocks, (l, r) => {
      visited.push([l?.path, r?.path]);
      return r?.path === 'b' ? 'stop' : undefined;
    });
    expect(visited).toEqual([
      ['a', undefined],
      [undefined, 'b'],
    ]);
    expect([lefts.closed(), rights.closed()]).toEqual([true, true]);
  });

  it('closes both sources and fails when a visit fails, at once or later', async () => {
    for (const fail of [() => Promise.reject(new RangeError('no')), () => refuse()]) {
      const [lefts, rights] = [streamed(['a', 'b']), inBlocks(['a', 'b'], [2])];
      await expect(visitJoined(lefts.stream, rights.blocks, fail)).rejects.toThrow('no');
      expect([lefts.closed(), rights.closed()]).toEqual([true, true]);
    }
  });
});

function refuse(): undefined {
  throw new RangeError('no');
}

describe('going on after a path', () => {
  it('drops everything up to and including it', async () => {
    const { stream } = streamed(['a', 'b', '\u{ffe0}', '😀']);
    expect(await collect(goOnAfter(stream, '\u{ffe0}'))).toEqual([{ path: '😀' }]);
  });

  it('drops nothing without a path', async () => {
    expect(await collect(goOnAfter(streamed(['', 'a']).stream, undefined))).toHaveLength(2);
  });

  it('does the same with blocks', async () => {
    const names = ['a', 'b', '\u{ffe0}', '😀'];
    const { blocks } = inBlocks(names, [3]);
    expect(await collect(itemsOf(goOnInBlocks(blocks, '\u{ffe0}')))).toEqual([{ path: '😀' }]);
    expect(await collect(itemsOf(goOnInBlocks(inBlocks(names, [3]).blocks, undefined)))).toHaveLength(4);
  });
});
