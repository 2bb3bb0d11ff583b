import pMap from 'p-map';
import type { RankName } from '../ids.ts';
import { assertDigest, readRanks } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotRecord } from '../records.ts';
import { compareUtf8 } from '../utf8-order.ts';
import { ranksKey } from '../vault-layout.ts';
import { rankOfPart, type Unit } from './units.ts';

/** A kept snapshot whose manifest of one rank names bytes of a directory. */
export interface Naming {
  readonly snapshot: string;
  readonly base: string | undefined;
  /** Digest of that manifest. */
  readonly sha256: string;
}

/**
 * The manifests that have to be read. What a snapshot names of an older directory, its base names too, because carried lines are copies of
 * the base's lines. So one whose base is itself among those that name the directory adds nothing.
 * @param naming every kept snapshot that names the directory in this rank
 */
export function decisive(naming: readonly Naming[]): readonly Naming[] {
  const all = new Set(naming.map(({ snapshot }) => snapshot));
  return naming
    .filter(({ base }) => base === undefined || !all.has(base))
    .sort((left, right) => compareUtf8(left.snapshot, right.snapshot));
}

/** Who names what: by directory, then by rank. */
export class NamingIndex {
  readonly #byDirectory = new Map<string, Map<RankName, Naming[]>>();

  add(directory: string, rank: RankName, naming: Naming): void {
    const ranks = this.#byDirectory.get(directory) ?? new Map<RankName, Naming[]>();
    this.#byDirectory.set(directory, ranks);
    const present = ranks.get(rank) ?? [];
    ranks.set(rank, present);
    present.push(naming);
  }

  /**
   * Whose manifests of this rank decide what stays in the directory.
   * @param among when only these are kept. @default - all that were added
   */
  ofRank(directory: string, rank: RankName, among?: ReadonlySet<string>): readonly Naming[] {
    const naming = this.#byDirectory.get(directory)?.get(rank) ?? [];
    return decisive(among === undefined ? naming : naming.filter(({ snapshot }) => among.has(snapshot)));
  }

  /** Those of any rank, without digests. */
  ofAllRanks(directory: string, among?: ReadonlySet<string>): readonly string[] {
    const ranks = this.#byDirectory.get(directory)?.keys() ?? [];
    const found = [...ranks].flatMap((rank) => this.ofRank(directory, rank, among).map(({ snapshot }) => snapshot));
    return [...new Set(found)].sort(compareUtf8);
  }
}

/**
 * Of a rank its own; of everything else all, because keys under it may be named by any rank.
 * @param among when only these are kept. @default - all that the index has
 */
export function referrersOf(
  index: NamingIndex | undefined,
  directory: string,
  part: string,
  among?: ReadonlySet<string>,
): Unit['referrers'] {
  const rank = rankOfPart(part);
  return rank === undefined
    ? (index?.ofAllRanks(directory, among) ?? []).map((snapshot) => ({ snapshot }))
    : (index?.ofRank(directory, rank, among) ?? []).map(({ snapshot, sha256 }) => ({ snapshot, sha256 }));
}

const READ_CONCURRENCY = 16;

/**
 * Reads the ranks of those snapshots that name one of the directories; their records say which ones these are.
 * @throws CatalogCorrupt when ranks.jsonl.gz is not the one that was committed
 */
export async function indexNamings(
  vault: ObjectStore,
  kept: readonly SnapshotRecord[],
  directories: ReadonlySet<string>,
): Promise<NamingIndex> {
  const index = new NamingIndex();
  await pMap(kept, (record) => addNamings(index, vault, { record, directories }), { concurrency: READ_CONCURRENCY });
  return index;
}

/** @throws CatalogCorrupt when ranks.jsonl.gz is not the one that was committed */
export async function addNamings(
  index: NamingIndex,
  vault: ObjectStore,
  of: { readonly record: SnapshotRecord; readonly directories: ReadonlySet<string> },
): Promise<void> {
  const { backup, snapshot, base, chain, ranksSha256 } = of.record;
  if (!chain.some((directory) => of.directories.has(directory))) {
    return;
  }
  await assertDigest(vault, ranksKey(backup, snapshot), ranksSha256);
  for await (const { rank, sha256, in: named } of readRanks(vault, backup, snapshot)) {
    const naming: Naming = { snapshot, base, sha256 };
    for (const each of named.filter((one) => of.directories.has(one.snapshot))) {
      index.add(each.snapshot, rank, naming);
    }
  }
}
