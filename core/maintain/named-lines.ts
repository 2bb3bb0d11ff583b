import type { RankName } from '../ids.ts';
import { isDirectoryLine } from '../manifest.ts';
import { assertDigest, readManifest } from '../manifest-io.ts';
import { mergeByPath } from '../merge-by-path.ts';
import { after } from '../ordered-join.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { manifestKey, partKey } from '../vault-layout.ts';
import type { NamedKey } from './removal-join.ts';
import type { Unit } from './units.ts';

/** A rank of a directory: what its natural keys hold. */
export interface RankPlace extends Pick<Unit, 'backup' | 'directory' | 'referrers'> {
  readonly rank: RankName;
}

/** @throws CatalogCorrupt when a manifest that decides what stays is not the one that was committed */
export async function assertManifests(vault: ObjectStore, { backup, rank, referrers }: RankPlace): Promise<void> {
  for (const { snapshot, sha256 } of referrers) {
    if (sha256 !== undefined) {
      await assertDigest(vault, manifestKey(backup, snapshot, rank), sha256);
    }
  }
}

/** The versions of one part that manifests name. */
export interface NamedPath {
  readonly path: string;
  readonly versionIds: readonly string[];
}

/**
 * What the manifests of a rank name of the natural keys of a directory, in the order of the keys. Memory holds a line of each.
 * @param afterPath only paths greater than this one
 */
export async function* namedNaturalKeys(
  vault: ObjectStore,
  place: RankPlace,
  afterPath: string | undefined,
): AsyncGenerator<NamedKey> {
  for await (const { path, versionIds } of mergedNaturalLines(vault, place, { before: [], afterPath })) {
    yield { key: partKey(place.backup, place.directory, place.rank, path), versionIds };
  }
}

/** In the order of paths. @param from what was merged before counts as one more manifest */
export async function* mergedNaturalLines(
  vault: ObjectStore,
  place: RankPlace,
  from: { readonly before: readonly AsyncIterable<NamedPath>[]; readonly afterPath: string | undefined },
): AsyncGenerator<NamedPath> {
  const manifests = place.referrers.map(({ snapshot }) => natural(vault, place, snapshot));
  const streams = [...from.before, ...manifests].map((stream) => after(stream, from.afterPath));
  for await (const { path, items } of mergeByPath(streams)) {
    yield { path, versionIds: [...new Set(items.flatMap(({ versionIds }) => versionIds))] };
  }
}

/** Lines whose bytes lie in the directory under their natural key. */
async function* natural(
  vault: ObjectStore,
  { backup, directory, rank }: RankPlace,
  snapshot: string,
): AsyncGenerator<NamedPath> {
  for await (const line of readManifest(vault, { backup, snapshot, rank })) {
    if (!isDirectoryLine(line) && line.in === directory && line.key === undefined) {
      yield { path: line.path, versionIds: [line.versionId] };
    }
  }
}
