import type { RankName } from '../ids.ts';
import { isDirectoryLine } from '../manifest.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { compareUtf8 } from '../utf8-order.ts';
import { readableManifest } from './committed-manifest.ts';
import type { Sighting } from './sightings.ts';
import type { CatalogTable } from './units.ts';

/** A damaged version, as its place in a rank: what other manifests may name as well. */
export interface DamagedVersion extends Sighting {
  readonly rank: RankName;
  readonly in: string;
  readonly path: string;
  readonly versionId: string;
}

/** Versions that are looked up one by one, and lines that are read for it, at most: some minutes of one function. */
export const MOST_LOOKED_UP = 1_000;
export const MOST_LINES_READ = 20_000_000;

export function isDamagedVersion(sighting: Sighting): sighting is DamagedVersion {
  const { kind, rank, path, versionId } = sighting;
  const isNamed = sighting.in !== undefined && rank !== undefined && path !== undefined && versionId !== undefined;
  return isNamed && kind !== 'ExtraObject';
}

/** A manifest in which damaged versions are looked up. */
export interface LookUp {
  readonly snapshot: string;
  readonly rank: RankName;
  readonly damaged: readonly DamagedVersion[];
}

/** Manifests of other snapshots that name bytes of a damaged directory in that rank, and do not show the damage themselves. */
export function lookUpsFor(table: CatalogTable, damaged: readonly DamagedVersion[]): readonly LookUp[] {
  const seen = new Set(damaged.map((each) => `${each.snapshot}\n${findingOf(each)}`));
  const distinct = [...new Map(damaged.map((each) => [findingOf(each), each])).values()];
  return [...table.values()].flatMap(({ snapshot, ranks }) =>
    [...ranks].flatMap(([rank, named]) => {
      const directories = new Set(named.map((each) => each.snapshot));
      const mayName = distinct.filter(
        (each) => each.rank === rank && directories.has(each.in) && !seen.has(`${snapshot}\n${findingOf(each)}`),
      );
      return mayName.length === 0 ? [] : [{ snapshot, rank, damaged: mayName }];
    }),
  );
}

/** @returns whether looking them all up is too much for one function */
export function isTooMuch(table: CatalogTable, lookUps: readonly LookUp[]): boolean {
  const lines = lookUps.reduce((sum, { snapshot, rank }) => {
    const named = table.get(snapshot)?.ranks.get(rank) ?? [];
    return sum + named.reduce((parts, each) => parts + each.parts, 0);
  }, 0);
  return lines > MOST_LINES_READ;
}

/** Reads a manifest up to the last of the paths. @returns those of the damaged versions that it names */
export async function lookUp(
  vault: ObjectStore,
  backup: string,
  { snapshot, rank, damaged }: LookUp,
): Promise<readonly DamagedVersion[]> {
  const byName = Map.groupBy(damaged, nameOf);
  const last =
    damaged
      .map(({ path }) => path)
      .toSorted(compareUtf8)
      .at(-1) ?? '';
  const found: DamagedVersion[] = [];
  // What is wrong with this manifest is told when it is looked at itself.
  for await (const line of readableManifest(vault, { backup, snapshot, rank }, () => undefined)) {
    if (compareUtf8(line.path, last) > 0) {
      break;
    }
    found.push(...(isDirectoryLine(line) ? [] : (byName.get(nameOf(line)) ?? [])));
  }
  return found;
}

function findingOf(version: DamagedVersion): string {
  return `${version.kind}\n${version.rank}\n${nameOf(version)}`;
}

function nameOf(version: { readonly in: string; readonly path: string; readonly versionId: string }): string {
  return `${version.in}\n${version.versionId}\n${version.path}`;
}
