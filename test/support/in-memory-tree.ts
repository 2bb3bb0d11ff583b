import { compileExcludes, type Excludes } from '../../adapters/roots/excludes.ts';
import type { RootConfig } from '../../core/config/schema.ts';
import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import type { FileAttributes } from '../../core/part.ts';
import { canonicalPath, compileRootPattern, pathInRankOf, type RootPattern } from '../../core/root-pattern.ts';

/** What a root needs besides its place. */
export type RootShape = Pick<RootConfig, 'name' | 'pattern' | 'rank' | 'exclude'>;

export interface MemoryFile {
  readonly bytes: Uint8Array;
  readonly token: string;
  readonly attributes?: FileAttributes;
}

export interface MemoryRoot {
  readonly name: string;
  readonly pattern: RootPattern;
  readonly excludes: Excludes;
  /** By path inside the root. */
  readonly files: Map<string, MemoryFile>;
}

/** The files of a cluster in memory, root by root; source, target and copier twins share one. */
export class InMemoryTree {
  readonly roots: readonly MemoryRoot[];
  #versions = 0;

  constructor(shapes: readonly RootShape[]) {
    this.roots = shapes.map((shape) => ({
      name: shape.name,
      pattern: compileRootPattern(shape.pattern, shape.rank),
      excludes: compileExcludes(shape.exclude),
      files: new Map(),
    }));
  }

  /** Every write makes a new version with a token of its own, also of equal bytes. */
  write(root: string, pathInRoot: string, bytes: Uint8Array, attributes?: FileAttributes): void {
    this.#versions += 1;
    const file = { bytes: Uint8Array.from(bytes), token: `s3:memory${this.#versions}` };
    this.root(root).files.set(pathInRoot, attributes === undefined ? file : { ...file, attributes });
  }

  read(root: string, pathInRoot: string): MemoryFile | undefined {
    return this.root(root).files.get(pathInRoot);
  }

  remove(root: string, pathInRoot: string): void {
    this.root(root).files.delete(pathInRoot);
  }

  root(name: string): MemoryRoot {
    const root = this.roots.find((each) => each.name === name);
    if (root === undefined) {
      throw new Error(`The tree has no root ${name}.`);
    }
    return root;
  }
}

/** Rank of a path inside a root, and the path inside that rank's directory. */
export function rankOfPath(root: MemoryRoot, pathInRoot: string): { readonly rank: RankName; readonly path: string } {
  const { pattern } = root;
  if (pattern.fixedRank !== undefined) {
    return { rank: pattern.fixedRank, path: canonicalPath(pattern, pathInRoot) };
  }
  const rest = pathInRoot.startsWith(pattern.rankParent) ? pathInRoot.slice(pattern.rankParent.length) : '';
  const slash = rest.indexOf('/');
  const rank = slash < 0 ? undefined : pattern.rankOf(rest.slice(0, slash));
  return rank === undefined
    ? { rank: CLUSTER_RANK, path: pathInRoot }
    : { rank, path: canonicalPath(pattern, rest.slice(slash + 1)) };
}

export function pathInMemoryRoot(root: MemoryRoot, rank: RankName, path: string): string {
  return rank === CLUSTER_RANK ? path : root.pattern.rankPath(rank) + pathInRankOf(root.pattern, path);
}
