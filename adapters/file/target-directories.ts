import { constants } from 'node:fs';
import { chmod, chown, mkdir, open, rmdir, unlink } from 'node:fs/promises';
import type { RootPattern } from '../../core/root-pattern.ts';
import { errorCodeOf, isAbsent, specialFile } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath, statIfPresent } from './plain-path.ts';
import { notWritable } from './target-errors.ts';
import { namesOf } from './walk-directory.ts';

/**
 * Makes a directory and those above it. A new directory takes owner and mode of the one it is made in, so that the cluster may write
 * where no manifest line says otherwise; a file that has the name of a directory goes.
 *
 * @param pathInRoot ends in `/`, or is empty for the root itself
 * @throws SpecialFile when a name on the way is a link: what it points to is not the root's
 * @throws TargetNotWritable
 */
export async function makeDirectories(root: FileRoot, pathInRoot: string): Promise<void> {
  for (let slash = pathInRoot.indexOf('/'); slash >= 0; slash = pathInRoot.indexOf('/', slash + 1)) {
    const path = pathInRoot.slice(0, slash);
    const found = await statIfPresent(root, path);
    if (found?.isSymbolicLink()) {
      throw specialFile(path, describeRoot(root), 'a symbolic link');
    }
    if (found !== undefined && !found.isDirectory()) {
      await removeFile(root, path);
    }
    if (!found?.isDirectory()) {
      await makeOne(root, path);
    }
  }
}

async function makeOne(root: FileRoot, path: string): Promise<void> {
  const above = await statIfPresent(root, path.slice(0, Math.max(path.lastIndexOf('/'), 0)));
  const absolute = absolutePath(root, path);
  try {
    await mkdir(absolute);
    if (above !== undefined) {
      await chown(absolute, Number(above.uid), Number(above.gid)).catch(unlessRefused);
      await chmod(absolute, Number(above.mode) & 0o7777);
    }
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') {
      throw notWritable(path, describeRoot(root), error);
    }
  }
}

/** No owner is recorded for this directory, so whoever makes it may keep it. */
function unlessRefused(error: unknown): void {
  if (errorCodeOf(error) !== 'EPERM') {
    throw error;
  }
}

/** Removes whatever has the name and is no directory, a link itself and not what it points to; absent is fine. */
export async function removeFile(root: FileRoot, path: string): Promise<void> {
  try {
    await unlink(absolutePath(root, path));
  } catch (error) {
    if (isAbsent(error)) {
      return;
    }
    // Linux says EISDIR, POSIX EPERM: a directory has taken the name, so the file is gone.
    const found = await statIfPresent(root, path);
    if (found !== undefined && !found.isDirectory()) {
      throw notWritable(path, describeRoot(root), error);
    }
  }
}

/**
 * Removes a directory with what is in it, except what the root excludes and the directories that hold such. Absent is fine.
 *
 * A rank's own directory goes only when it is empty: what is in it is the rank's business, and where the target's pattern differs from
 * the snapshot's the directory looks superfluous to the pseudo-rank `cluster` and holds what was just restored. The same holds for
 * a mapped TOM's directory on the way, which is listed elsewhere; one that is named itself goes with all it holds.
 *
 * @param pathInRoot ends in `/`
 * @returns true when nothing is left of it
 */
export async function removeDirectory(root: FileRoot, pathInRoot: string): Promise<boolean> {
  const path = pathInRoot.slice(0, -1);
  if (!(await statIfPresent(root, path))?.isDirectory()) {
    return true;
  }
  if (isRankDirectory(root, path)) {
    return await removeEmptyDirectory(root, path);
  }
  let empty = true;
  for (const key of (await namesOf(root, pathInRoot))?.keys ?? []) {
    const child = `${pathInRoot}${key}`;
    if (root.excluded(child)) {
      empty = false;
    } else if (key.endsWith('/')) {
      const gone = isMappedTom(root, child)
        ? await removeEmptyDirectory(root, child.slice(0, -1))
        : await removeDirectory(root, child);
      empty = gone && empty;
    } else {
      await removeFile(root, child);
    }
  }
  return empty && (await removeEmptyDirectory(root, path));
}

function isRankDirectory({ pattern }: FileRoot, path: string): boolean {
  return path.startsWith(pattern.rankParent) && pattern.rankOf(path.slice(pattern.rankParent.length)) !== undefined;
}

/** @param path ends in `/` */
function isMappedTom({ pattern }: FileRoot, path: string): boolean {
  if (pattern.canonical || pattern.tomParent === undefined) {
    return false;
  }
  const inRank = pathBelowRank(pattern, path);
  if (inRank === undefined || !inRank.startsWith(pattern.tomParent)) {
    return false;
  }
  return pattern.tomOf(inRank.slice(pattern.tomParent.length, -1)) !== undefined;
}

/** @returns undefined for a path of no rank */
function pathBelowRank(pattern: RootPattern, path: string): string | undefined {
  if (pattern.fixedRank !== undefined) {
    return path;
  }
  const slash = path.indexOf('/', pattern.rankParent.length);
  const isBelow = path.startsWith(pattern.rankParent) && slash >= 0;
  return isBelow && pattern.rankOf(path.slice(pattern.rankParent.length, slash)) !== undefined
    ? path.slice(slash + 1)
    : undefined;
}

/** @returns false when something is in it */
export async function removeEmptyDirectory(root: FileRoot, path: string): Promise<boolean> {
  try {
    await rmdir(absolutePath(root, path));
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      return false;
    }
    if (!isAbsent(error)) {
      throw notWritable(path, describeRoot(root), error);
    }
  }
  return true;
}

/** Makes the names in a directory survive a crash. @param pathInRoot ends in `/`, or is empty */
export async function syncDirectory(root: FileRoot, pathInRoot: string): Promise<void> {
  try {
    const directory = await open(absolutePath(root, pathInRoot), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    throw notWritable(pathInRoot, describeRoot(root), error);
  }
}
