import type { Blocks } from './blocks.ts';
import { cursorOf, cursorOfBlocks, type PathCursor, type WithPath } from './path-cursor.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface Joined<L, R> {
  readonly left: L | undefined;
  readonly right: R | undefined;
}

/**
 * Outer merge-join of two streams that are each in strictly ascending UTF-8 order of `path`; memory holds one element of each.
 * @throws ListingOutOfOrder when a stream is out of order or repeats a path: a bug, or a source that changed under the listing
 */
export async function* joinByPath<L extends WithPath, R extends WithPath>(
  left: AsyncIterable<L>,
  right: AsyncIterable<R>,
): AsyncGenerator<Joined<L, R>> {
  const [lefts, rights] = [cursorOf(left, 'left'), cursorOf(right, 'right')];
  try {
    await lefts.next();
    await rights.next();
    for (let order = orderOf(lefts, rights); order !== undefined; order = orderOf(lefts, rights)) {
      yield { left: order <= 0 ? lefts.head : undefined, right: order >= 0 ? rights.head : undefined };
      if (order <= 0) {
        await lefts.next();
      }
      if (order >= 0) {
        await rights.next();
      }
    }
  } finally {
    await lefts.close();
    await rights.close();
  }
}

/**
 * As `joinByPath` for a million pairs at a time: a right side that comes in blocks, of which memory holds one, and a call instead
 * of a stream of pairs.
 * @param visit is called with each pair; its promise is waited for, and `stop` ends the join
 */
export async function visitJoined<L extends WithPath, R extends WithPath>(
  left: AsyncIterable<L>,
  right: Blocks<R>,
  visit: (left: L | undefined, right: R | undefined) => Promise<void> | 'stop' | undefined,
): Promise<void> {
  const [lefts, rights] = [cursorOf(left, 'left'), cursorOfBlocks(right, 'right')];
  try {
    await lefts.next();
    await rights.next();
    for (let order = orderOf(lefts, rights); order !== undefined; order = orderOf(lefts, rights)) {
      const visited = visit(order <= 0 ? lefts.head : undefined, order >= 0 ? rights.head : undefined);
      if (visited === 'stop') {
        return;
      }
      // Nothing is waited for that is there: an await for nothing costs as much as the rest of the loop.
      if (visited !== undefined) {
        await visited;
      }
      const moved = order <= 0 ? lefts.next() : undefined;
      if (moved !== undefined) {
        await moved;
      }
      const alsoMoved = order >= 0 ? rights.next() : undefined;
      if (alsoMoved !== undefined) {
        await alsoMoved;
      }
    }
  } finally {
    await lefts.close();
    await rights.close();
  }
}

/** Negative when the left item comes alone, positive when the right one does; undefined at the end of both. */
function orderOf(lefts: PathCursor<WithPath>, rights: PathCursor<WithPath>): number | undefined {
  const [left, right] = [lefts.head, rights.head];
  if (left === undefined || right === undefined) {
    return left === right ? undefined : left === undefined ? 1 : -1;
  }
  return compareUtf8(left.path, right.path);
}

/** Drops everything up to and including `path`. */
export async function* after<T extends WithPath>(items: AsyncIterable<T>, path: string | undefined): AsyncGenerator<T> {
  for await (const item of items) {
    if (path === undefined || compareUtf8(item.path, path) > 0) {
      yield item;
    }
  }
}

/** As `after` for a stream that comes in blocks. */
export function afterInBlocks<T extends WithPath>(blocks: Blocks<T>, path: string | undefined): Blocks<T> {
  return path === undefined ? blocks : remaining(blocks, path);
}

async function* remaining<T extends WithPath>(blocks: Blocks<T>, path: string): AsyncGenerator<Iterable<T>> {
  for await (const block of blocks) {
    yield beyond(block, path);
  }
}

function* beyond<T extends WithPath>(items: Iterable<T>, path: string): Generator<T> {
  for (const item of items) {
    if (compareUtf8(item.path, path) > 0) {
      yield item;
    }
  }
}

export async function* nothing(): AsyncGenerator<never> {
  // An empty stream: what a first snapshot is joined with.
}
