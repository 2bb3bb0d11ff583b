import { mergeByPath } from '../../adapters/roots/merge-entries.ts';
import { RESERVED_PREFIX } from '../../adapters/roots/restore-marker.ts';
import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import type { LiveEntry, LivePart } from '../../core/part.ts';
import { assertPartPath } from '../../core/part-path.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { type InMemoryTree, type MemoryRoot, rankOfPath } from './in-memory-tree.ts';

/** A rank of the tree: sorted whole, which only a twin may do. */
export function listMemoryRank(
  tree: InMemoryTree,
  rank: RankName,
  after: string | undefined,
): AsyncIterable<LiveEntry> {
  return mergeByPath(tree.roots.map((root) => rootEntries(root, rank, after)));
}

export function memoryRanks(tree: InMemoryTree): readonly number[] {
  const ranks = tree.roots.flatMap((root) => visiblePaths(root).map((path) => rankOfPath(root, path).rank));
  return [...new Set(ranks.filter((rank) => rank !== CLUSTER_RANK))].sort((left, right) => left - right);
}

async function* rootEntries(root: MemoryRoot, rank: RankName, after: string | undefined): AsyncGenerator<LiveEntry> {
  const entries: LivePart[] = [];
  for (const pathInRoot of visiblePaths(root)) {
    const place = rankOfPath(root, pathInRoot);
    const file = root.files.get(pathInRoot);
    if (place.rank === rank && file !== undefined && (after === undefined || compareUtf8(place.path, after) > 0)) {
      assertPartPath(place.path, `root ${root.name}`);
      entries.push({
        kind: 'part',
        path: place.path,
        root: root.name,
        sizeBytes: file.bytes.byteLength,
        token: file.token,
        racy: false,
        ...(file.attributes === undefined ? {} : { attributes: file.attributes }),
      });
    }
  }
  yield* entries.sort((left, right) => compareUtf8(left.path, right.path));
}

function visiblePaths(root: MemoryRoot): readonly string[] {
  return [...root.files.keys()].filter((path) => !path.startsWith(RESERVED_PREFIX) && !root.excludes(path));
}
