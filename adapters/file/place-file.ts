import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { algorithmOf, type Checksum } from '../../core/checksum.ts';
import { ChecksumMismatch } from '../../core/errors.ts';
import type { FileAttributes } from '../../core/part.ts';
import { TEMPORARY_PREFIX } from '../../core/restore-actions.ts';
import { applyAttributes } from './file-attributes.ts';
import { errorCodeOf } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath, statIfPresent } from './plain-path.ts';
import { startChecksum } from './running-checksum.ts';
import { SparseWriter } from './sparse-writer.ts';
import { makeDirectories, removeDirectory, removeFile, syncDirectory } from './target-directories.ts';
import { notWritable } from './target-errors.ts';

interface Placement {
  /** Path of the part inside the root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly checksum: Checksum;
  /** @default - owner of the directory, and a mode by the process's umask */
  readonly attributes?: FileAttributes;
}

/**
 * Writes a file under a temporary name beside its own and renames it when its bytes are proven right and on disk. What was there
 * before stays in place until then.
 *
 * The temporary name is the same on every try, so that a try that died leaves nothing that the next one does not take away. Two
 * tries at a time may take the name from each other; each therefore makes sure that the file it renames, and the file then in place,
 * is the one it has written.
 *
 * @returns false when another try got in between: do it again
 * @throws ChecksumMismatch, TargetNotWritable, SpecialFile, and what the body throws; the file in place is untouched then
 */
export async function placeFile(
  root: FileRoot,
  placement: Placement,
  body: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const directory = directoryOf(placement.path);
  await makeDirectories(root, directory);
  const temporary = temporaryPathOf(placement.path);
  const file = await createTemporary(root, temporary);
  if (file === undefined) {
    return false;
  }
  try {
    await fill(root, placement, { file, body });
    const placed = await activate(root, { file, temporary, path: placement.path });
    await syncDirectory(root, directory);
    return placed;
  } catch (error) {
    await unlink(absolutePath(root, temporary)).catch(() => undefined);
    throw notWritable(placement.path, describeRoot(root), error);
  } finally {
    await file.close();
  }
}

/** A digest, because the name beside it may already be as long as a name can be. */
export function temporaryPathOf(path: string): string {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return `${directoryOf(path)}${TEMPORARY_PREFIX}${digest}`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** Always a new file: one that another try still writes to must not become ours. */
async function createTemporary(root: FileRoot, temporary: string): Promise<FileHandle | undefined> {
  await removeFile(root, temporary);
  try {
    return await open(absolutePath(root, temporary), 'wx');
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') {
      return undefined;
    }
    throw notWritable(temporary, describeRoot(root), error);
  }
}

async function fill(
  root: FileRoot,
  placement: Placement,
  into: { readonly file: FileHandle; readonly body: AsyncIterable<Uint8Array> },
): Promise<void> {
  const { file, body } = into;
  const writer = new SparseWriter(file);
  const running = startChecksum(algorithmOf(placement.checksum));
  for await (const chunk of body) {
    running.update(chunk);
    await writer.write(chunk);
  }
  await writer.finish();
  const checksum = await running.finish();
  if (checksum !== placement.checksum || writer.sizeBytes !== placement.sizeBytes) {
    throw new ChecksumMismatch(
      `The vault's bytes of ${JSON.stringify(placement.path)} are ${checksum} (${writer.sizeBytes} bytes) and were recorded as ${placement.checksum} (${placement.sizeBytes} bytes).`,
      { hint: 'The file in place was not touched. Run a verification of the snapshot, and restore another one.' },
    );
  }
  await applyAttributes(
    root,
    placement.path,
    file,
    placement.attributes ?? (await inherited(root, placement.path, file)),
  );
  await file.sync();
}

/** The part comes from S3, where files have no owner: the one of the directory it goes to, where we may give it away. */
async function inherited(root: FileRoot, path: string, file: FileHandle): Promise<FileAttributes> {
  const own = await file.stat({ bigint: true });
  const above = process.getuid?.() === 0 ? await statIfPresent(root, directoryOf(path).slice(0, -1)) : undefined;
  return {
    mode: Number(own.mode) & 0o7777,
    uid: Number((above ?? own).uid),
    gid: Number((above ?? own).gid),
    mtimeNs: String(own.mtimeNs),
  };
}

interface Written {
  readonly file: FileHandle;
  readonly temporary: string;
  readonly path: string;
}

async function activate(root: FileRoot, written: Written): Promise<boolean> {
  const { ino } = await written.file.stat({ bigint: true });
  if ((await statIfPresent(root, written.temporary))?.ino !== ino) {
    return false;
  }
  await renameOver(root, written.temporary, written.path);
  return (await statIfPresent(root, written.path))?.ino === ino;
}

/** A directory that has the file's name goes: the snapshot has a file there. */
async function renameOver(root: FileRoot, from: string, to: string): Promise<void> {
  const [source, target] = [absolutePath(root, from), absolutePath(root, to)];
  try {
    await rename(source, target);
  } catch (error) {
    if (errorCodeOf(error) !== 'EISDIR') {
      throw error;
    }
    await removeDirectory(root, `${to}/`);
    await rename(source, target);
  }
}
