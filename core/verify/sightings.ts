import * as z from 'zod/mini';
import { streamOf } from '../draft-writer.ts';
import { gzipJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { FINDING_KINDS, type Finding, type FindingKind, findingKindSchema, findingSchema } from '../verification.ts';

/** A finding as a worker saw it; of a version it has what it takes to find out which other snapshots suffer from it. */
export const sightingSchema = findingSchema;
export type Sighting = Finding;

export const kindCountsSchema = z.partialRecord(findingKindSchema, z.int());
export type KindCounts = z.infer<typeof kindCountsSchema>;

export function countKind(counts: KindCounts, kind: FindingKind, more = 1): KindCounts {
  return { ...counts, [kind]: (counts[kind] ?? 0) + more };
}

/** Kinds that were found, worst first. */
export function kindsOf(counts: KindCounts): readonly FindingKind[] {
  return FINDING_KINDS.filter((kind) => (counts[kind] ?? 0) > 0);
}

export function addCounts(left: KindCounts, right: KindCounts): KindCounts {
  return kindsOf(right).reduce((sum, kind) => countKind(sum, kind, right[kind]), left);
}

/** One sentence, with the object's key if the detail does not name it. */
export function inWords({ key, detail }: Pick<Sighting, 'key' | 'detail'>): string {
  return key === undefined || detail.includes(key) ? detail : `${key}: ${detail}`;
}

/** Lines that one unit writes at most; what comes after them is counted only. */
export const MOST_LINES_A_UNIT = 10_000;

/** What the invocations of a unit have seen so far; travels in its progress. */
export const sightedSchema = z.object({
  counts: kindCountsSchema,
  lines: z.int(),
  /** Names of the objects that hold the lines. */
  pieces: z.array(z.string()),
});
export type Sighted = z.infer<typeof sightedSchema>;
export const NOTHING_SIGHTED: Sighted = { counts: {}, lines: 0, pieces: [] };

/** Takes what one invocation sees; memory holds at most `MOST_LINES_A_UNIT` lines. */
export class SightingLog {
  readonly #before: Sighted;
  readonly #lines: Sighting[] = [];
  #counts: KindCounts;

  constructor(before: Sighted) {
    this.#before = before;
    this.#counts = before.counts;
  }

  add(sighting: Sighting): void {
    this.#counts = countKind(this.#counts, sighting.kind);
    if (this.#before.lines + this.#lines.length < MOST_LINES_A_UNIT) {
      this.#lines.push(sighting);
    }
  }

  addAll(sightings: Iterable<Sighting>): void {
    for (const sighting of sightings) {
      this.add(sighting);
    }
  }

  has(kind: FindingKind): boolean {
    return (this.#counts[kind] ?? 0) > 0;
  }

  /** Writes the lines of this invocation. @param piece unique to it */
  async close(work: ObjectStore, piece: { readonly name: string; readonly key: string }): Promise<Sighted> {
    const { lines, pieces } = this.#before;
    if (this.#lines.length === 0) {
      return { counts: this.#counts, lines, pieces };
    }
    await work.putStream(piece.key, gzipJsonLines(streamOf(this.#lines)));
    return { counts: this.#counts, lines: lines + this.#lines.length, pieces: [...pieces, piece.name] };
  }
}
