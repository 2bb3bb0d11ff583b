import { type ListingUnit, listPages, type S3ListedObject } from './key-listing.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** Prefixes whose listing runs ahead of the reader. Each holds two pages at most, so 16 pages of 1,000 keys are in memory. */
const PREFIXES_AHEAD = 8;
/** Units looked at ahead of the reader, so that a run of plain objects between two prefixes cannot grow the queue. */
const UNITS_AHEAD = 1_000;

type Page = IteratorResult<readonly ListingUnit[], void>;

/**
 * The objects of all units, one unit after the other, while the next prefixes are already being listed. Order of the units is
 * order of the output.
 */
export async function* objectsInOrder(
  bucket: S3Bucket,
  units: AsyncGenerator<ListingUnit, void, undefined>,
): AsyncGenerator<S3ListedObject, void, undefined> {
  const queue: (S3ListedObject | PrefixListing)[] = [];
  let exhausted = false;
  try {
    for (;;) {
      while (!exhausted && queue.length < UNITS_AHEAD && prefixesIn(queue) < PREFIXES_AHEAD) {
        const next = await units.next();
        exhausted = next.done === true;
        if (next.done !== true) {
          queue.push(next.value.kind === 'object' ? next.value.object : new PrefixListing(bucket, next.value));
        }
      }
      const first = queue.shift();
      if (first === undefined) {
        return;
      }
      if (first instanceof PrefixListing) {
        yield* first.objects();
      } else {
        yield first;
      }
    }
  } finally {
    await units.return();
  }
}

function prefixesIn(queue: readonly (S3ListedObject | PrefixListing)[]): number {
  return queue.reduce((count, item) => count + (item instanceof PrefixListing ? 1 : 0), 0);
}

/** A listing that has asked for its first page at once and asks for each next one while the page before is read. */
class PrefixListing {
  readonly #pages: AsyncGenerator<readonly ListingUnit[], void, undefined>;
  #coming: Promise<Page>;

  constructor(bucket: S3Bucket, unit: { readonly prefix: string; readonly startAfter: string | undefined }) {
    this.#pages = listPages(bucket, { prefix: unit.prefix, startAfter: unit.startAfter });
    this.#coming = this.#ask();
  }

  async *objects(): AsyncGenerator<S3ListedObject, void, undefined> {
    for (let page = await this.#coming; page.done !== true; page = await this.#coming) {
      this.#coming = this.#ask();
      for (const unit of page.value) {
        if (unit.kind === 'object') {
          yield unit.object;
        }
      }
    }
  }

  #ask(): Promise<Page> {
    const page = this.#pages.next();
    // The reader may leave before it gets here; a failure that nobody waits for must not end the process.
    page.catch(() => undefined);
    return page;
  }
}
