import { ListingOutOfOrder } from './errors.ts';
import { compareUtf8 } from './utf8-order.ts';

interface WithPath {
  readonly path: string;
}

/** All items of one path, in the order of their streams. */
export interface Merged<T> {
  readonly path: string;
  readonly items: readonly T[];
}

interface Head<T> {
  readonly item: T;
  readonly rest: AsyncIterator<T>;
  readonly stream: number;
}

/**
 * Merges streams that are each in strictly ascending UTF-8 order of `path`: one group for each path that any of them has. Memory
 * holds one item of each stream. Streams mostly have the same paths, so the least is looked for from the start each time.
 * @throws ListingOutOfOrder when a stream is out of order or repeats a path
 */
export async function* mergeByPath<T extends WithPath>(
  streams: readonly AsyncIterable<T>[],
): AsyncGenerator<Merged<T>, void, undefined> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  try {
    let heads = (await Promise.all(iterators.map((rest, stream) => headOf(rest, stream, undefined)))).flat();
    while (heads.length > 0) {
      const path = leastPath(heads);
      yield { path, items: heads.filter(({ item }) => item.path === path).map(({ item }) => item) };
      const next = heads.map((head) => (head.item.path === path ? headOf(head.rest, head.stream, path) : [head]));
      heads = (await Promise.all(next)).flat();
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}

function leastPath<T extends WithPath>(heads: readonly Head<T>[]): string {
  return heads.reduce(
    (least, { item }) => (compareUtf8(item.path, least) < 0 ? item.path : least),
    heads[0]?.item.path ?? '',
  );
}

async function headOf<T extends WithPath>(
  rest: AsyncIterator<T>,
  stream: number,
  last: string | undefined,
): Promise<readonly Head<T>[]> {
  const next = await rest.next();
  if (next.done === true) {
    return [];
  }
  const item = next.value;
  if (last !== undefined && compareUtf8(last, item.path) >= 0) {
    throw new ListingOutOfOrder(
      `Stream ${stream + 1} is out of order: ${JSON.stringify(item.path)} after ${JSON.stringify(last)}.`,
      { hint: 'Nothing was changed. Start it again; when it repeats, report it with the names.' },
    );
  }
  return [{ item, rest, stream }];
}
