import * as z from 'zod/mini';
import { streamOf } from '../draft-writer.ts';
import { gzipJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/** A line of a deletion batch: exactly this version goes. */
export const removalLineSchema = z.object({
  key: z.string(),
  versionId: z.string(),
  sizeBytes: z.int().check(z.nonnegative()),
  /** What it counts as. */
  kind: z.enum(['part', 'marker', 'catalog']),
});
export type RemovalLine = z.infer<typeof removalLineSchema>;

/** Ten DeleteObjects requests; about 2 MB of memory until it is written. */
export const REMOVALS_PER_BATCH = 10_000;

/** Writes the batches of one invocation, holding at most one. */
export class RemovalWriter {
  readonly #work: ObjectStore;
  readonly #keyOf: (batch: number) => string;
  #lines: RemovalLine[] = [];
  #batches = 0;

  /** @param keyOf unique to the invocation: two invocations for one unit never write the same key */
  constructor(work: ObjectStore, keyOf: (batch: number) => string) {
    this.#work = work;
    this.#keyOf = keyOf;
  }

  async write(line: RemovalLine): Promise<void> {
    this.#lines.push(line);
    if (this.#lines.length >= REMOVALS_PER_BATCH) {
      await this.#flush();
    }
  }

  /** @returns how many batches were written */
  async close(): Promise<number> {
    if (this.#lines.length > 0) {
      await this.#flush();
    }
    return this.#batches;
  }

  async #flush(): Promise<void> {
    await this.#work.putStream(this.#keyOf(this.#batches), gzipJsonLines(streamOf(this.#lines)));
    this.#batches += 1;
    this.#lines = [];
  }
}
