import { fileURLToPath } from 'node:url';
import type { RootConfig } from '../../core/config/schema.ts';
import { TopologyMismatch } from '../../core/errors.ts';
import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import { compileRootPattern, pathInRankOf, type RootPattern } from '../../core/root-pattern.ts';
import { compileExcludes, type Excludes } from '../roots/excludes.ts';

/** A directory of this machine that holds files of a cluster. */
export interface FileRoot {
  readonly name: string;
  /** Absolute, without a final `/`. */
  readonly directory: string;
  readonly pattern: RootPattern;
  /** Of paths inside the root, as they are on disk. */
  readonly excluded: Excludes;
  /** A staging directory that a restore makes: until then it counts as empty. Any other root that is missing is a fault. */
  readonly madeByRestore?: boolean;
}

/** @throws RootPatternInvalid */
export function fileRootOf(config: RootConfig, options: { readonly madeByRestore?: boolean } = {}): FileRoot {
  const directory = fileURLToPath(config.url).replace(/\/+$/, '');
  return {
    name: config.name,
    directory,
    pattern: compileRootPattern(config.pattern, config.rank),
    excluded: compileExcludes(config.exclude),
    madeByRestore: options.madeByRestore ?? false,
  };
}

/**
 * Where a part lies inside the root: the reverse of what a listing does to paths.
 * @throws TopologyMismatch when the root holds one rank, and another is meant
 */
export function pathInRoot(root: FileRoot, rank: RankName, partPath: string): string {
  const { pattern } = root;
  if (pattern.fixedRank !== undefined && rank !== pattern.fixedRank) {
    throw new TopologyMismatch(
      `${describeRoot(root)} holds rank ${pattern.fixedRank} only, and ${rank} was to go there.`,
      {
        hint: 'Give the target the same roots as the snapshot, or roots with {rank} in their patterns.',
      },
    );
  }
  return rank === CLUSTER_RANK ? partPath : `${pattern.rankPath(rank)}${pathInRankOf(pattern, partPath)}`;
}

export function describeRoot(root: FileRoot): string {
  return `root ${root.name} (${root.directory})`;
}
