import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { itemsOf } from './blocks.ts';
import { CatalogCorrupt } from './errors.ts';
import { parseOrCorrupt, parseVersioned } from './format.ts';
import type { RankName } from './ids.ts';
import { gzipJsonLines, readGzipJsonBlocks } from './jsonl.ts';
import { type ManifestHeader, type ManifestLine, manifestHeaderSchema, manifestLineSchema } from './manifest.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { type RankLine, rankLineSchema, ranksHeaderSchema } from './records.ts';
import { usualManifestLine } from './usual-lines.ts';
import { manifestKey, ranksKey } from './vault-layout.ts';

export interface ManifestPlace {
  readonly backup: string;
  readonly snapshot: string;
  readonly rank: RankName;
}

/** Lines of a rank's manifest, checked one by one. A manifest that should be there and is not is `CatalogCorrupt`. */
export function readManifest(vault: ObjectStore, place: ManifestPlace): AsyncGenerator<ManifestLine> {
  return itemsOf(readManifestBlocks(vault, place));
}

/** As `readManifest`, for readers in a hurry; a line is checked when its turn comes. */
export function readManifestBlocks(vault: ObjectStore, place: ManifestPlace): AsyncGenerator<Iterable<ManifestLine>> {
  const key = manifestKey(place.backup, place.snapshot, place.rank);
  return readWithHeader(vault, key, manifestHeaderSchema, (value) => manifestLineOf(value, key));
}

/** @throws CatalogCorrupt naming the object and the first findings */
function manifestLineOf(value: unknown, key: string): ManifestLine {
  return usualManifestLine(value) ?? parseOrCorrupt(manifestLineSchema, value, key);
}

export function manifestBytes(header: ManifestHeader, lines: AsyncIterable<ManifestLine>): AsyncIterable<Uint8Array> {
  return gzipJsonLines(withHeader(header, lines));
}

/** Lines of `ranks.jsonl.gz`. */
export function readRanks(vault: ObjectStore, backup: string, snapshot: string): AsyncGenerator<RankLine> {
  const key = ranksKey(backup, snapshot);
  const lineOf = (value: unknown) => parseOrCorrupt(rankLineSchema, value, key);
  return itemsOf(readWithHeader(vault, key, ranksHeaderSchema, lineOf));
}

/** The line of one rank; undefined when the snapshot has no such rank. */
export async function readRankLine(vault: ObjectStore, place: ManifestPlace): Promise<RankLine | undefined> {
  for await (const line of readRanks(vault, place.backup, place.snapshot)) {
    if (line.rank === place.rank) {
      return line;
    }
  }
  return undefined;
}

export function ranksBytes(
  header: z.infer<typeof ranksHeaderSchema>,
  lines: AsyncIterable<RankLine>,
): AsyncIterable<Uint8Array> {
  return gzipJsonLines(withHeader(header, lines));
}

/**
 * Reads an object whole, keeping nothing, and compares its SHA-256.
 * @throws CatalogCorrupt when it is missing or another
 */
export async function assertDigest(store: ObjectStore, key: string, sha256: string): Promise<void> {
  const actual = await digestOfObject(store, key);
  if (actual !== sha256) {
    throw new CatalogCorrupt(`${key} has digest ${actual ?? '(no such object)'}, but ${sha256} was recorded.`, {
      hint: 'Restore the recorded version of the object in the bucket, or use another snapshot.',
    });
  }
}

export async function digestOfObject(store: ObjectStore, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  if (object === undefined) {
    return undefined;
  }
  const hash = createHash('sha256');
  for await (const chunk of object.body) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

async function* withHeader(header: unknown, lines: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  yield header;
  yield* lines;
}

async function* readWithHeader<H extends z.ZodMiniType, Line>(
  vault: ObjectStore,
  key: string,
  headerSchema: H,
  lineOf: (value: unknown) => Line,
): AsyncGenerator<Iterable<Line>> {
  const object = await vault.get(key);
  if (object === undefined) {
    throw new CatalogCorrupt(`${key} is missing.`, {
      hint: 'Restore the object in the bucket (it is versioned), or use another snapshot.',
    });
  }
  let isHeader = true;
  function* linesOf(values: Iterable<unknown>): Generator<Line> {
    for (const value of values) {
      if (isHeader) {
        parseVersioned(headerSchema, value, `The header of ${key}`);
        isHeader = false;
      } else {
        yield lineOf(value);
      }
    }
  }
  for await (const values of readGzipJsonBlocks(object.body, key)) {
    yield linesOf(values);
  }
  if (isHeader) {
    throw new CatalogCorrupt(`${key} is empty: it has no header.`, {
      hint: 'Restore an earlier version of the object in the bucket, or use another snapshot.',
    });
  }
}
