import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { RestoreInProgress } from '../../core/errors.ts';
import type { RestoreMarker } from '../../core/ports/restore-target.ts';
import { TEMPORARY_PREFIX } from '../../core/restore-actions.ts';
import { formatMarker, MARKER_NAME, nextMarker, parseMarker } from '../roots/restore-marker.ts';
import { openPlain } from './file-entry.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath } from './plain-path.ts';
import { removeFile, syncDirectory } from './target-directories.ts';
import { notWritable } from './target-errors.ts';

/** @throws CatalogCorrupt, FormatTooNew */
export async function readMarkerFile(root: FileRoot): Promise<RestoreMarker | undefined> {
  const file = await openPlain(root, MARKER_NAME);
  if (file === undefined) {
    return undefined;
  }
  try {
    return parseMarker(await file.readFile('utf8'), describeRoot(root));
  } finally {
    await file.close();
  }
}

/**
 * Puts the marker in place in one step: a temporary file, synced, renamed.
 * @throws RestoreInProgress when another execution writes the marker at the same moment
 */
export async function writeMarkerFile(root: FileRoot, wanted: RestoreMarker): Promise<void> {
  if (root.madeByRestore) {
    await makeRoot(root);
  }
  const next = nextMarker(await readMarkerFile(root), wanted);
  await replaceMarker(root, formatMarker(next));
  const present = await readMarkerFile(root);
  if (present?.execution !== wanted.execution) {
    throw new RestoreInProgress(
      `Restore ${present?.execution ?? '(ended)'} took ${describeRoot(root)} at the same moment.`,
      {
        hint: 'Let one of the two restores finish, then decide whether the other is still wanted.',
      },
    );
  }
}

async function makeRoot(root: FileRoot): Promise<void> {
  try {
    await mkdir(root.directory, { recursive: true });
  } catch (error) {
    throw notWritable('', describeRoot(root), error);
  }
}

/** Another execution's marker stays. */
export async function removeMarkerFile(root: FileRoot, execution: string): Promise<void> {
  if ((await readMarkerFile(root))?.execution === execution) {
    await removeFile(root, MARKER_NAME);
    await syncDirectory(root, '');
  }
}

async function replaceMarker(root: FileRoot, json: string): Promise<void> {
  const temporary = `${TEMPORARY_PREFIX}marker-${randomBytes(8).toString('hex')}`;
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
    const file = await open(absolutePath(root, temporary), flags, 0o644);
    try {
      await file.writeFile(json);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(absolutePath(root, temporary), absolutePath(root, MARKER_NAME));
  } catch (error) {
    await removeFile(root, temporary);
    throw notWritable(MARKER_NAME, describeRoot(root), error);
  }
  await syncDirectory(root, '');
}
