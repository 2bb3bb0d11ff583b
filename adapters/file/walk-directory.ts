import { PartPathInvalid } from '../../core/errors.ts';
import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import { TEMPORARY_PREFIX } from '../../core/restore-actions.ts';
import type { RootPattern } from '../../core/root-pattern.ts';
import { RESERVED_PREFIX } from '../roots/restore-marker.ts';
import { type DirectoryNames, readDirectoryNames } from './directory-names.ts';
import { unreadable } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';

export interface Walk {
  readonly root: FileRoot;
  readonly rank: RankName;
  /** Only paths greater than this; subtrees that lie before it are not read. */
  readonly after: string | undefined;
  /** True for a restore's target, whose listing also shows what a restore that died has left. */
  readonly showTemporary: boolean;
}

/** A directory as the walk sees it: `keys` as in `DirectoryNames`, filtered and with mapped TOM directories in their place. */
export interface WalkDirectory {
  readonly path: string;
  readonly pathInRoot: string;
  readonly keys: readonly string[];
  readonly special: ReadonlyMap<string, string>;
  /** Where a mapped TOM directory really is: `tom-3/` at `persist/rank0/data/t03/`. */
  readonly elsewhere: ReadonlyMap<string, string>;
}

/** A directory that is gone has no names: what was listed and is missing later is the fence's business. */
export async function readDirectory(walk: Walk, path: string, pathInRoot: string): Promise<WalkDirectory> {
  const { root } = walk;
  const names = await namesOf(root, pathInRoot);
  const keys = (names?.keys ?? []).filter((key) => isListed(walk, pathInRoot, key));
  const undecodable = names?.undecodable.find((name) => keys.includes(name) || keys.includes(`${name}/`));
  if (undecodable !== undefined) {
    throw new PartPathInvalid(
      `${JSON.stringify(`${pathInRoot}${undecodable}`)} in ${describeRoot(root)} is not valid UTF-8.`,
      {
        hint: 'Rename the file, or exclude it with an exclude pattern of its root.',
      },
    );
  }
  return { path, pathInRoot, keys, special: names?.special ?? new Map(), elsewhere: new Map() };
}

export async function namesOf(root: FileRoot, pathInRoot: string): Promise<DirectoryNames | undefined> {
  try {
    return await readDirectoryNames(`${root.directory}/${pathInRoot}`);
  } catch (error) {
    throw unreadable(pathInRoot, describeRoot(root), error);
  }
}

function isListed(walk: Walk, parent: string, key: string): boolean {
  const { pattern, excluded } = walk.root;
  if (key.startsWith(TEMPORARY_PREFIX)) {
    return walk.showTemporary;
  }
  if (parent === '' && key.startsWith(RESERVED_PREFIX)) {
    return false;
  }
  if (excluded(`${parent}${key}`)) {
    return false;
  }
  if (walk.rank === CLUSTER_RANK) {
    return true;
  }
  return !(parent === mappedTomParent(walk) && isTom(pattern, key));
}

/**
 * A rank's own directory is an entry of `cluster`, because it lies in no rank's directory: its owner and mode decide whether the
 * database can write there. What is in it belongs to the rank.
 * @returns the rank whose directory this is
 */
export function rankOfDirectory(walk: Walk, pathInRoot: string): number | undefined {
  const { pattern } = walk.root;
  const isBelow = walk.rank === CLUSTER_RANK && pathInRoot.endsWith('/') && pathInRoot.startsWith(pattern.rankParent);
  return isBelow ? pattern.rankOf(pathInRoot.slice(pattern.rankParent.length, -1)) : undefined;
}

/** Where the TOM directories are that a walk shows at the top of the rank instead; undefined when they are there anyway. */
export function mappedTomParent(walk: Walk): string | undefined {
  const { pattern } = walk.root;
  if (walk.rank === CLUSTER_RANK || pattern.canonical || pattern.tomParent === undefined) {
    return undefined;
  }
  return `${pattern.rankPath(walk.rank)}${pattern.tomParent}`;
}

export function isTom(pattern: RootPattern, key: string): boolean {
  return key.endsWith('/') && pattern.tomOf(key.slice(0, -1)) !== undefined;
}
