/**
 * A stream that comes in blocks: one waits for a block and then takes its items without waiting. A wait for every item costs more
 * than reading, checking and joining a line together.
 *
 * Items may be made as they are taken, so that a bad one throws when its turn comes and not before; a block is taken to its end
 * before the next one is asked for.
 */
export type Blocks<T> = AsyncIterable<Iterable<T>>;

export async function* itemsOf<T>(blocks: Blocks<T>): AsyncGenerator<T> {
  for await (const block of blocks) {
    for (const item of block) {
      yield item;
    }
  }
}

/** Blocks of one item each, for a stream that gives no larger ones. */
export async function* blocksOf<T>(items: AsyncIterable<T>): AsyncGenerator<Iterable<T>> {
  for await (const item of items) {
    yield [item];
  }
}
