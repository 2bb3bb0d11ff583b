import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { RootUnreadable } from '../../core/errors.ts';
import { errorCodeOf, isAbsent, passingFailure, specialFile, unreadable } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';

/** @throws RootUnreadable when the root's own directory is missing, no directory, or closed to us */
export async function assertRootReadable(root: FileRoot): Promise<void> {
  const where = describeRoot(root);
  let found: BigIntStats;
  try {
    found = await stat(root.directory, { bigint: true });
  } catch (error) {
    if (root.madeByRestore && isAbsent(error)) {
      return;
    }
    throw passingFailure('/', where, error) ?? missingRoot(where, errorCodeOf(error) ?? String(error));
  }
  if (!found.isDirectory()) {
    throw missingRoot(where, 'it is no directory');
  }
}

/**
 * Follows a path from the root down, one name at a time, and refuses links on the way: what lies behind a link is not in the root.
 *
 * @param pathInRoot with or without a final `/`
 * @returns what has the whole path, itself never followed; undefined when nothing does
 * @throws SpecialFile when a directory on the way is a link
 */
export async function statPlain(root: FileRoot, pathInRoot: string): Promise<BigIntStats | undefined> {
  const whole = pathInRoot.endsWith('/') ? pathInRoot.slice(0, -1) : pathInRoot;
  for (let slash = whole.indexOf('/'); slash >= 0; slash = whole.indexOf('/', slash + 1)) {
    const parent = await statIfPresent(root, whole.slice(0, slash));
    if (parent?.isSymbolicLink()) {
      throw specialFile(whole.slice(0, slash), describeRoot(root), 'a symbolic link');
    }
    if (parent?.isDirectory() !== true) {
      return undefined;
    }
  }
  return await statIfPresent(root, whole);
}

/** @param pathInRoot without a final `/`; empty for the root's directory itself, which may be reached by a link */
export async function statIfPresent(root: FileRoot, pathInRoot: string): Promise<BigIntStats | undefined> {
  try {
    const look = pathInRoot === '' ? stat : lstat;
    return await look(absolutePath(root, pathInRoot), { bigint: true });
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw unreadable(pathInRoot, describeRoot(root), error);
  }
}

export function absolutePath(root: FileRoot, pathInRoot: string): string {
  return `${root.directory}/${pathInRoot}`;
}

function missingRoot(where: string, why: string): RootUnreadable {
  return new RootUnreadable(`The directory of ${where} cannot be read (${why}).`, {
    hint: 'Check the root in the configuration, and that the file system is mounted where it says.',
  });
}
