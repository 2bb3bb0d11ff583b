import { ListingOutOfOrder } from './errors.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface Joined<L, R> {
  readonly left: L | undefined;
  readonly right: R | undefined;
}

interface WithPath {
  readonly path: string;
}

/**
 * Outer merge-join of two streams that are each in strictly ascending UTF-8 order of `path`; memory holds one element of each.
 * @throws ListingOutOfOrder when a stream is out of order or repeats a path: a bug, or a source that changed under the listing
 */
export async function* joinByPath<L extends WithPath, R extends WithPath>(
  left: AsyncIterable<L>,
  right: AsyncIterable<R>,
): AsyncGenerator<Joined<L, R>> {
  const lefts = ascending(left, 'left')[Symbol.asyncIterator]();
  const rights = ascending(right, 'right')[Symbol.asyncIterator]();
  try {
    let l = await lefts.next();
    let r = await rights.next();
    while (!(l.done && r.done)) {
      const order = l.done ? 1 : r.done ? -1 : compareUtf8(l.value.path, r.value.path);
      yield { left: order <= 0 && !l.done ? l.value : undefined, right: order >= 0 && !r.done ? r.value : undefined };
      const nextLeft = order <= 0;
      const nextRight = order >= 0;
      l = nextLeft ? await lefts.next() : l;
      r = nextRight ? await rights.next() : r;
    }
  } finally {
    await lefts.return?.(undefined);
    await rights.return?.(undefined);
  }
}

async function* ascending<T extends WithPath>(items: AsyncIterable<T>, side: string): AsyncGenerator<T> {
  let last: string | undefined;
  for await (const item of items) {
    if (last !== undefined && compareUtf8(last, item.path) >= 0) {
      throw new ListingOutOfOrder(
        `The ${side} stream is out of order: ${JSON.stringify(item.path)} after ${JSON.stringify(last)}.`,
        {
          hint: 'Nothing was committed or changed. Start it again; when it repeats, report it with the names.',
        },
      );
    }
    last = item.path;
    yield item;
  }
}

/** Drops everything up to and including `path`. */
export async function* after<T extends WithPath>(items: AsyncIterable<T>, path: string | undefined): AsyncGenerator<T> {
  for await (const item of items) {
    if (path === undefined || compareUtf8(item.path, path) > 0) {
      yield item;
    }
  }
}

export async function* nothing(): AsyncGenerator<never> {
  // An empty stream: what a first snapshot is joined with.
}
