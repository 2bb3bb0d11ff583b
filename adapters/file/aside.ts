import { rename, rm } from 'node:fs/promises';
import { assertPartPath } from '../../core/part-path.ts';
import { asideDirectory } from '../roots/restore-marker.ts';
import { isAbsent } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath, statPlain } from './plain-path.ts';
import { makeDirectories, removeEmptyDirectory, removeFile } from './target-directories.ts';
import { notWritable } from './target-errors.ts';

/**
 * Moves a file to the aside directory, keeping its path inside the root. When its copy is there already, an earlier try of the same
 * restore has moved the cluster's own file, and what is in place now was put there by that restore: it is removed.
 *
 * @param path inside the root; one that ends in `/` is a directory, which is made aside and removed here once it is empty
 */
export async function moveFileAside(root: FileRoot, path: string, label: string): Promise<void> {
  const aside = `${asideDirectoryOf(label)}${path}`;
  const found = await statPlain(root, path);
  if (found === undefined || found.isDirectory() !== path.endsWith('/')) {
    return;
  }
  if (path.endsWith('/')) {
    await makeDirectories(root, aside);
    await removeEmptyDirectory(root, path.slice(0, -1));
    return;
  }
  if ((await statPlain(root, aside)) !== undefined) {
    await removeFile(root, path);
    return;
  }
  await makeDirectories(root, aside.slice(0, aside.lastIndexOf('/') + 1));
  try {
    await rename(absolutePath(root, path), absolutePath(root, aside));
  } catch (error) {
    if (!isAbsent(error)) {
      throw notWritable(path, describeRoot(root), error);
    }
  }
}

/** Absent is fine. Links inside are removed, never followed. */
export async function removeAsideDirectory(root: FileRoot, label: string): Promise<void> {
  const directory = asideDirectoryOf(label);
  if ((await statPlain(root, directory)) === undefined) {
    return;
  }
  try {
    await rm(absolutePath(root, directory.slice(0, -1)), { recursive: true, force: true });
  } catch (error) {
    throw notWritable(directory, describeRoot(root), error);
  }
  await removeEmptyDirectory(root, directory.slice(0, directory.indexOf('/')));
}

/** @throws PartPathInvalid for a label that would lead out of the aside directory */
function asideDirectoryOf(label: string): string {
  const directory = asideDirectory(label);
  assertPartPath(directory, 'the aside directory');
  return directory;
}
