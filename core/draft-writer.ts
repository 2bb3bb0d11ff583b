import { BackgroundWrites } from './background-writes.ts';
import { BATCH_LIMITS, Cutter } from './batching.ts';
import type { DraftLine, Piece } from './draft.ts';
import { isCopyLine } from './draft.ts';
import { GatheredLines } from './gathered-lines.ts';
import type { RankName } from './ids.ts';
import { gzipLineBytes } from './jsonl.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Pass } from './run.ts';
import type { RunKeys } from './work-layout.ts';

/** A segment is cut at whichever comes first: what a reader and a retry of its write have to hold. */
const SEGMENT_LINES = 20_000;
const SEGMENT_BYTES = 8 * 1024 ** 2;

/** Segments that are compressed and sent while the next one is gathered. */
const SEGMENTS_ON_THEIR_WAY = 2;
/** Batches likewise: a full cuts one every thousand parts, and each takes S3 some 50 ms. */
const BATCHES_ON_THEIR_WAY = 8;

/** Writes the segments and batches of one invocation, in path order, holding a few of each. */
export class DraftWriter {
  readonly #work: ObjectStore;
  readonly #keys: RunKeys;
  readonly #pass: Pass;
  readonly #rank: RankName;
  readonly #id: string;
  readonly #cutter = new Cutter(BATCH_LIMITS);
  readonly #segment = new GatheredLines();
  readonly #batch = new GatheredLines();
  readonly #segmentWrites = new BackgroundWrites(SEGMENTS_ON_THEIR_WAY);
  readonly #batchWrites = new BackgroundWrites(BATCHES_ON_THEIR_WAY);
  #segments = 0;
  #batches = 0;

  /** @param id unique to the invocation: two invocations for one rank never write the same key */
  constructor(
    work: ObjectStore,
    keys: RunKeys,
    place: { readonly pass: Pass; readonly rank: RankName; readonly id: string },
  ) {
    this.#work = work;
    this.#keys = keys;
    this.#pass = place.pass;
    this.#rank = place.rank;
    this.#id = place.id;
  }

  async write(line: DraftLine): Promise<void> {
    await this.add(line);
  }

  /** As `write`. @returns a promise only when something has to be waited for */
  add(line: DraftLine): Promise<void> | undefined {
    const cut = isCopyLine(line) && this.#cutter.startsNew(line) ? this.#flushBatch() : undefined;
    return cut === undefined ? this.#gather(line) : this.#gatherAfter(cut, line);
  }

  /** Writes what is left. @returns what a reader needs to find all of it */
  async close(): Promise<Piece> {
    await this.#flushBatch();
    await this.#batchWrites.finish();
    await this.#flushSegment();
    await this.#segmentWrites.finish();
    return { id: this.#id, segments: this.#segments, batches: this.#batches };
  }

  /** After a failure: waits for what is on its way, so that nothing is written behind the caller's back. */
  async abandon(): Promise<void> {
    await Promise.all([this.#batchWrites.abandon(), this.#segmentWrites.abandon()]);
  }

  async #gatherAfter(cut: Promise<void>, line: DraftLine): Promise<void> {
    await cut;
    await this.#gather(line);
  }

  #gather(line: DraftLine): Promise<void> | undefined {
    if (isCopyLine(line)) {
      this.#batch.add(line);
    }
    this.#segment.add(line);
    const isFull = this.#segment.lines >= SEGMENT_LINES || this.#segment.sizeBytes >= SEGMENT_BYTES;
    return isFull ? this.#flushSegment() : undefined;
  }

  async #flushBatch(): Promise<void> {
    if (this.#batch.lines > 0) {
      const key = this.#keys.batch(this.#pass, this.#rank, `${this.#id}-${this.#batches}`);
      this.#batches += 1;
      await this.#batchWrites.start(this.#writeOf(key, this.#batch));
    }
  }

  async #flushSegment(): Promise<void> {
    if (this.#segment.lines > 0) {
      const key = this.#keys.segment(this.#pass, this.#rank, `${this.#id}-${this.#segments}`);
      this.#segments += 1;
      await this.#segmentWrites.start(this.#writeOf(key, this.#segment));
    }
  }

  #writeOf(key: string, gathered: GatheredLines): () => Promise<void> {
    const bytes = gathered.take();
    return async () => {
      await this.#work.putStream(key, gzipLineBytes(bytes));
      gathered.giveBack(bytes);
    };
  }
}

export async function* streamOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
