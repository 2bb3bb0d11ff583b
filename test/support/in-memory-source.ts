import { MARKER_NAME } from '../../adapters/roots/restore-marker.ts';
import type { RankName } from '../../core/ids.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';
import { listMemoryRank, memoryRanks } from './in-memory-listing.ts';
import type { InMemoryTree } from './in-memory-tree.ts';

/** A cluster's roots in memory as a snapshot reads them. Passes the same contract suite as `ClusterSource`. */
export class InMemorySource implements SourceRoots {
  readonly #tree: InMemoryTree;

  constructor(tree: InMemoryTree) {
    this.#tree = tree;
  }

  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    return listMemoryRank(this.#tree, rank, after);
  }

  discoverRanks(): Promise<readonly number[]> {
    return Promise.resolve(memoryRanks(this.#tree));
  }

  findRestoreMarkers(): Promise<readonly string[]> {
    return Promise.resolve(this.#tree.roots.filter((root) => root.files.has(MARKER_NAME)).map((root) => root.name));
  }
}
