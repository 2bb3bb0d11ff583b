import type { Blocks } from './blocks.ts';
import { ListingOutOfOrder } from './errors.ts';
import { compareUtf8 } from './utf8-order.ts';

export interface WithPath {
  readonly path: string;
}

/** Walks a stream that is in strictly ascending UTF-8 order of `path`. */
export interface PathCursor<T extends WithPath> {
  /** The item it stands at; undefined before the first and after the last. */
  readonly head: T | undefined;
  /**
   * Goes to the next item.
   * @returns a promise only when something has to be waited for
   * @throws ListingOutOfOrder when the stream is out of order or repeats a path
   */
  next(): Promise<void> | undefined;
  close(): Promise<void>;
}

/** @param side which stream it is, for errors */
export function cursorOf<T extends WithPath>(items: AsyncIterable<T>, side: string): PathCursor<T> {
  return new ItemCursor(items, side);
}

/** @param side which stream it is, for errors */
export function cursorOfBlocks<T extends WithPath>(blocks: Blocks<T>, side: string): PathCursor<T> {
  return new BlockCursor(blocks, side);
}

class ItemCursor<T extends WithPath> implements PathCursor<T> {
  head: T | undefined;
  readonly #items: AsyncIterator<T, unknown>;
  readonly #side: string;
  readonly #take: (next: IteratorResult<T, unknown>) => void;

  constructor(items: AsyncIterable<T>, side: string) {
    this.#items = items[Symbol.asyncIterator]();
    this.#side = side;
    this.#take = (next) => {
      const item = next.done === true ? undefined : next.value;
      assertAscending(this.head, item, this.#side);
      this.head = item;
    };
  }

  next(): Promise<void> {
    // One promise an item: an async function would make three.
    return this.#items.next().then(this.#take);
  }

  async close(): Promise<void> {
    await this.#items.return?.(undefined);
  }
}

const NO_ITEMS: readonly never[] = [];

class BlockCursor<T extends WithPath> implements PathCursor<T> {
  head: T | undefined;
  readonly #side: string;
  readonly #blocks: AsyncIterator<Iterable<T>>;
  #block: Iterator<T> = NO_ITEMS[Symbol.iterator]();

  constructor(blocks: Blocks<T>, side: string) {
    this.#blocks = blocks[Symbol.asyncIterator]();
    this.#side = side;
  }

  next(): Promise<void> | undefined {
    return this.#takeOfBlock() ? undefined : this.#nextBlock();
  }

  async close(): Promise<void> {
    await this.#blocks.return?.(undefined);
  }

  /** @returns false when the block is at its end */
  #takeOfBlock(): boolean {
    const next = this.#block.next();
    if (next.done === true) {
      return false;
    }
    assertAscending(this.head, next.value, this.#side);
    this.head = next.value;
    return true;
  }

  async #nextBlock(): Promise<void> {
    for (let block = await this.#blocks.next(); block.done !== true; block = await this.#blocks.next()) {
      this.#block = block.value[Symbol.iterator]();
      if (this.#takeOfBlock()) {
        return;
      }
    }
    this.head = undefined;
  }
}

function assertAscending(last: WithPath | undefined, next: WithPath | undefined, side: string): void {
  if (last !== undefined && next !== undefined && compareUtf8(last.path, next.path) >= 0) {
    throw new ListingOutOfOrder(
      `The ${side} stream is out of order: ${JSON.stringify(next.path)} after ${JSON.stringify(last.path)}.`,
      {
        hint: 'Nothing was committed or changed. Start it again; when it repeats, report it with the names.',
      },
    );
  }
}
