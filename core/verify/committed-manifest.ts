import { CatalogCorrupt, ChecksumMismatch } from '../errors.ts';
import type { RankName } from '../ids.ts';
import type { ManifestLine } from '../manifest.ts';
import { digestOfObject, readManifest, readRanks } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { RankLine } from '../records.ts';

export interface RankPlace {
  readonly backup: string;
  readonly snapshot: string;
  readonly rank: RankName;
}

type Told = (detail: string) => void;

/** Lines of a manifest as far as they can be read; what is broken is told, not thrown. @throws FormatTooNew, StoreUnavailable */
export function readableManifest(vault: ObjectStore, place: RankPlace, tell: Told): AsyncGenerator<ManifestLine> {
  return readable(readManifest(vault, place), tell);
}

/** Lines of `ranks.jsonl.gz`, likewise. */
export function readableRanks(
  vault: ObjectStore,
  place: Pick<RankPlace, 'backup' | 'snapshot'>,
  tell: Told,
): AsyncGenerator<RankLine> {
  return readable(readRanks(vault, place.backup, place.snapshot), tell);
}

async function* readable<Line>(lines: AsyncGenerator<Line>, tell: Told): AsyncGenerator<Line> {
  try {
    yield* lines;
  } catch (error) {
    tell(problemOf(error));
  }
}

export interface CatalogStores {
  readonly vault: ObjectStore;
  /** Tells why an object is missing. @default - nobody asks */
  readonly versions?: VaultVersions;
}

export interface BrokenObject {
  readonly detail: string;
  /** Nothing of it can be read. */
  readonly lost: boolean;
}

/** A link of the chain of digests: record, ranks, manifest. @returns undefined when the object is the one that was recorded */
export async function brokenDigest(
  stores: CatalogStores,
  key: string,
  sha256: string,
): Promise<BrokenObject | undefined> {
  try {
    const actual = await digestOfObject(stores.vault, key);
    if (actual === undefined) {
      return { detail: `${key} is missing${await whyMissing(stores.versions, key)}.`, lost: true };
    }
    return actual === sha256
      ? undefined
      : { detail: `${key} has digest ${actual}, but ${sha256} was recorded.`, lost: false };
  } catch (error) {
    return { detail: problemOf(error), lost: true };
  }
}

async function whyMissing(versions: VaultVersions | undefined, key: string): Promise<string> {
  if (versions === undefined) {
    return '';
  }
  for await (const version of versions.listVersions(key)) {
    if (version.key === key) {
      return version.kind === 'deleteMarker' ? ': a delete marker lies over it' : '';
    }
  }
  return ': no version of it is left';
}

/** What is wrong with bytes is a finding; everything else, a newer format and a store that does not answer among it, is an error. */
function problemOf(error: unknown): string {
  if (error instanceof CatalogCorrupt || error instanceof ChecksumMismatch) {
    return error.problem;
  }
  throw error;
}
