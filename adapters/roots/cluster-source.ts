import type { RankName } from '../../core/ids.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';
import { mergeByPath } from './merge-entries.ts';
import type { SingleRoot } from './single-root.ts';

/** All roots of a cluster, on S3 and on file systems, as one source. */
export class ClusterSource implements SourceRoots {
  readonly #roots: readonly SingleRoot[];

  constructor(roots: readonly SingleRoot[]) {
    this.#roots = roots;
  }

  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    return mergeByPath(this.#roots.map((root) => root.listRank(rank, after)));
  }

  async discoverRanks(): Promise<readonly number[]> {
    const found = await Promise.all(this.#roots.map(async (root) => root.discoverRanks()));
    return [...new Set(found.flat())].sort((left, right) => left - right);
  }

  async findRestoreMarkers(): Promise<readonly string[]> {
    const marked = await Promise.all(this.#roots.map(async (root) => root.hasRestoreMarker()));
    return this.#roots.filter((_, index) => marked[index] === true).map((root) => root.name);
  }
}
