import type { RankName } from '../ids.ts';
import { isDirectoryLine, type PartLine } from '../manifest.ts';
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

/**
 * What the manifests of a rank name of the natural keys of a directory, in the order of the keys. Memory holds a line of each.
 * @param afterPath only paths greater than this one
 */
export async function* namedNaturalKeys(
  vault: ObjectStore,
  place: RankPlace,
  afterPath: string | undefined,
): AsyncGenerator<NamedKey> {
  const streams = place.referrers.map(({ snapshot }) => after(natural(vault, place, snapshot), afterPath));
  for await (const { path, items } of mergeByPath(streams)) {
    const versionIds = [...new Set(items.map(({ versionId }) => versionId))];
    yield { key: partKey(place.backup, place.directory, place.rank, path), versionIds };
  }
}

/** Lines whose bytes lie in the directory under their natural key. */
async function* natural(
  vault: ObjectStore,
  { backup, directory, rank }: RankPlace,
  snapshot: string,
): AsyncGenerator<PartLine> {
  for await (const line of readManifest(vault, { backup, snapshot, rank })) {
    if (!isDirectoryLine(line) && line.in === directory && line.key === undefined) {
      yield line;
    }
  }
}
