import { createHash } from 'node:crypto';
import type * as z from 'zod/mini';
import { CatalogCorrupt } from './errors.ts';
import { parseOrCorrupt, parseVersioned } from './format.ts';
import type { RankName } from './ids.ts';
import { gzipJsonLines, readGzipJsonLines } from './jsonl.ts';
import { type ManifestHeader, type ManifestLine, manifestHeaderSchema, manifestLineSchema } from './manifest.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { type RankLine, rankLineSchema, ranksHeaderSchema } from './records.ts';
import { manifestKey, ranksKey } from './vault-layout.ts';

/** Lines of a rank's manifest, checked one by one. A manifest that should be there and is not is `CatalogCorrupt`. */
export async function* readManifest(
  vault: ObjectStore,
  place: { readonly backup: string; readonly snapshot: string; readonly rank: RankName },
): AsyncGenerator<ManifestLine> {
  const key = manifestKey(place.backup, place.snapshot, place.rank);
  yield* readWithHeader(vault, key, manifestHeaderSchema, manifestLineSchema);
}

export function manifestBytes(header: ManifestHeader, lines: AsyncIterable<ManifestLine>): AsyncIterable<Uint8Array> {
  return gzipJsonLines(withHeader(header, lines));
}

/** Lines of `ranks.jsonl.gz`. */
export async function* readRanks(vault: ObjectStore, backup: string, snapshot: string): AsyncGenerator<RankLine> {
  yield* readWithHeader(vault, ranksKey(backup, snapshot), ranksHeaderSchema, rankLineSchema);
}

/** The line of one rank; undefined when the snapshot has no such rank. */
export async function readRankLine(
  vault: ObjectStore,
  place: { readonly backup: string; readonly snapshot: string; readonly rank: RankName },
): Promise<RankLine | undefined> {
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

async function* readWithHeader<H extends z.ZodMiniType, L extends z.ZodMiniType>(
  vault: ObjectStore,
  key: string,
  headerSchema: H,
  lineSchema: L,
): AsyncGenerator<z.output<L>> {
  const object = await vault.get(key);
  if (object === undefined) {
    throw new CatalogCorrupt(`${key} is missing.`, {
      hint: 'Restore the object in the bucket (it is versioned), or use another snapshot.',
    });
  }
  let isHeader = true;
  for await (const value of readGzipJsonLines(object.body, key)) {
    if (isHeader) {
      parseVersioned(headerSchema, value, `The header of ${key}`);
      isHeader = false;
    } else {
      yield parseOrCorrupt(lineSchema, value, key);
    }
  }
  if (isHeader) {
    throw new CatalogCorrupt(`${key} is empty: it has no header.`, {
      hint: 'Restore an earlier version of the object in the bucket, or use another snapshot.',
    });
  }
}
