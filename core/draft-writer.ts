import { BATCH_LIMITS, Cutter } from './batching.ts';
import type { CopyLine, DraftLine, Piece } from './draft.ts';
import { isCopyLine } from './draft.ts';
import type { RankName } from './ids.ts';
import { gzipJsonLines } from './jsonl.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Pass } from './run.ts';
import type { RunKeys } from './work-layout.ts';

/** Lines of one segment: about 4 MB of memory until it is written. */
const SEGMENT_LINES = 20_000;

/** Writes the segments and batches of one invocation, in path order, holding at most one of each. */
export class DraftWriter {
  readonly #work: ObjectStore;
  readonly #keys: RunKeys;
  readonly #pass: Pass;
  readonly #rank: RankName;
  readonly #id: string;
  readonly #cutter = new Cutter(BATCH_LIMITS);
  #segment: DraftLine[] = [];
  #batch: CopyLine[] = [];
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
    if (isCopyLine(line)) {
      if (this.#cutter.startsNew(line)) {
        await this.#flushBatch();
      }
      this.#batch.push(line);
    }
    this.#segment.push(line);
    if (this.#segment.length >= SEGMENT_LINES) {
      await this.#flushSegment();
    }
  }

  /** Writes what is left. @returns what a reader needs to find all of it */
  async close(): Promise<Piece> {
    await this.#flushBatch();
    await this.#flushSegment();
    return { id: this.#id, segments: this.#segments, batches: this.#batches };
  }

  async #flushBatch(): Promise<void> {
    if (this.#batch.length > 0) {
      const key = this.#keys.batch(this.#pass, this.#rank, `${this.#id}-${this.#batches}`);
      await this.#work.putStream(key, gzipJsonLines(streamOf(this.#batch)));
      this.#batches += 1;
      this.#batch = [];
    }
  }

  async #flushSegment(): Promise<void> {
    if (this.#segment.length > 0) {
      const key = this.#keys.segment(this.#pass, this.#rank, `${this.#id}-${this.#segments}`);
      await this.#work.putStream(key, gzipJsonLines(streamOf(this.#segment)));
      this.#segments += 1;
      this.#segment = [];
    }
  }
}

export async function* streamOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
