import { describe, expect, it } from 'vitest';
import { BATCH_LIMITS } from '../../../core/batching.ts';
import { ListingOutOfOrder, StoreUnavailable } from '../../../core/errors.ts';
import { enumerateRank } from '../../../core/jobs/enumerate-rank.ts';
import type { LiveEntry } from '../../../core/part.ts';
import { bytesOf } from '../../support/byte-streams.ts';
import { InMemoryObjectStore } from '../../support/in-memory-object-store.ts';
import { JobWorld, never } from '../../support/job-world.ts';
import { ListedSource, listedPart } from '../../support/listed-source.ts';

const names = Array.from({ length: BATCH_LIMITS.maxParts + 1 }, (_, index) => `p${100_000 + index}`);

/** Lists one batch and a part more, in order, and then what a test wants to go wrong. */
class FailingSource extends ListedSource {
  readonly #next: () => LiveEntry;

  constructor(next: () => LiveEntry) {
    super();
    this.#next = next;
  }

  override async *listRank(): AsyncGenerator<LiveEntry> {
    yield* names.map((path) => listedPart(path));
    yield this.#next();
  }
}

class WatchedStore extends InMemoryObjectStore {
  begun = 0;
  running = 0;
  failure: Error | undefined;

  override async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.begun += 1;
    this.running += 1;
    const bytes = await bytesOf(body);
    this.running -= 1;
    if (this.failure !== undefined) {
      throw this.failure;
    }
    await super.put(key, bytes);
  }
}

async function enumerate(source: ListedSource, work: WatchedStore): Promise<unknown> {
  const world = new JobWorld();
  const plan = await world.plan({ backup: 'held', type: 'full', execution: 'run-1' });
  const request = { plan, pass: 'warm' as const, rank: 1, progress: { done: false }, invocation: 'i' };
  return enumerateRank({ ...world.of(plan), work, source }, { ...request, shouldStop: never });
}

describe('an enumeration that fails', () => {
  it('because the listing does leaves no write behind that still runs, and no record', async () => {
    const work = new WatchedStore();
    const source = new FailingSource(() => {
      throw new RangeError('the mount is gone');
    });
    await expect(enumerate(source, work)).rejects.toThrow('the mount is gone');
    expect([work.begun, work.running]).toEqual([1, 0]);
    expect(work.keys().filter((key) => key.endsWith('.json'))).toEqual([]);
  });

  it('because the listing is out of order says so', async () => {
    const work = new WatchedStore();
    await expect(enumerate(new FailingSource(() => listedPart('a')), work)).rejects.toThrow(ListingOutOfOrder);
    expect(work.running).toBe(0);
  });

  it('because a batch cannot be written says so and leaves no record', async () => {
    const work = new WatchedStore();
    work.failure = new StoreUnavailable('S3 went away.', { hint: 'Try again.' });
    await expect(enumerate(new FailingSource(() => listedPart('q')), work)).rejects.toThrow(StoreUnavailable);
    expect([work.running, work.keys()]).toEqual([0, []]);
  });
});
