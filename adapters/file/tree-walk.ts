import { CLUSTER_RANK } from '../../core/ids.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { specialFile } from './file-errors.ts';
import { describeRoot } from './file-root.ts';
import { assertRootReadable, statPlain } from './plain-path.ts';
import { mapTomDirectories } from './tom-directories.ts';
import { rankOfDirectory, readDirectory, type Walk, type WalkDirectory } from './walk-directory.ts';

/** A name that the walk came by; nothing is known about it yet but its kind. */
export interface Visit {
  readonly kind: 'file' | 'directory' | 'special';
  /** Part path: inside the rank, TOMs in canonical form; a directory's ends in `/`. */
  readonly path: string;
  /** Path on disk, inside the root; a directory's ends in `/`. */
  readonly pathInRoot: string;
  /** The rank whose own directory this is; only in a walk of `cluster`. */
  readonly rank?: number;
  /** What a special file is, for messages. */
  readonly what?: string;
}

interface Frame extends WalkDirectory {
  next: number;
}

/**
 * Walks one rank of a root in the UTF-8 order of its part paths. Memory holds the names of the directories on the current path and
 * nothing else; a rank without a directory gives nothing.
 *
 * @throws RootUnreadable, PathCollision, PartPathInvalid (a name that is not UTF-8), SpecialFile (the rank's directory is a link)
 */
export async function* walkRank(walk: Walk): AsyncGenerator<Visit> {
  await assertRootReadable(walk.root);
  const top = await topOf(walk);
  const stack: Frame[] = top === undefined ? [] : [{ ...top, next: 0 }];
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const key = frame.keys[frame.next];
    frame.next += 1;
    if (key === undefined) {
      stack.pop();
      continue;
    }
    const visit = visitOf(walk, frame, key);
    if (walk.after === undefined || compareUtf8(visit.path, walk.after) > 0) {
      yield visit;
    } else if (visit.kind !== 'directory' || !walk.after.startsWith(visit.path)) {
      continue;
    }
    if (visit.kind === 'directory' && visit.rank === undefined) {
      const directory = await readDirectory(walk, visit.path, visit.pathInRoot);
      stack.push({ ...directory, next: 0 });
    }
  }
}

function visitOf(walk: Walk, directory: WalkDirectory, key: string): Visit {
  const path = `${directory.path}${key}`;
  const pathInRoot = directory.elsewhere.get(key) ?? `${directory.pathInRoot}${key}`;
  const what = directory.special.get(key);
  if (what !== undefined) {
    return { kind: 'special', path, pathInRoot, what };
  }
  const rank = rankOfDirectory(walk, pathInRoot);
  return { kind: key.endsWith('/') ? 'directory' : 'file', path, pathInRoot, ...(rank === undefined ? {} : { rank }) };
}

/** The directory in which the walk begins; undefined when the root has no such rank. */
async function topOf(walk: Walk): Promise<WalkDirectory | undefined> {
  const { root, rank } = walk;
  const { pattern } = root;
  if (rank === CLUSTER_RANK) {
    return pattern.fixedRank === undefined ? await readDirectory(walk, '', '') : undefined;
  }
  if (pattern.fixedRank !== undefined && pattern.fixedRank !== rank) {
    return undefined;
  }
  const pathInRoot = pattern.rankPath(rank);
  if (pathInRoot === '') {
    return await mapTomDirectories(walk, await readDirectory(walk, '', ''));
  }
  if (root.excluded(pathInRoot)) {
    return undefined;
  }
  const found = await statPlain(root, pathInRoot);
  if (found?.isSymbolicLink()) {
    throw specialFile(pathInRoot.slice(0, -1), describeRoot(root), 'a symbolic link');
  }
  return found?.isDirectory() ? await mapTomDirectories(walk, await readDirectory(walk, '', pathInRoot)) : undefined;
}
