import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { FileAttributes, LiveEntry, LivePart } from '../../core/part.ts';
import { assertPartPath } from '../../core/part-path.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type FileStat, fileToken, isRacy } from '../../core/source-token.ts';
import { errorCodeOf, isAbsent, specialFile, unreadable } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath, statIfPresent } from './plain-path.ts';
import type { Visit } from './tree-walk.ts';

/** Never through a link, and never waiting for the other end of a pipe. */
export const PLAIN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface EntryReader {
  readonly root: FileRoot;
  readonly clock: Clock;
  /** `refuse` throws SpecialFile; `show` gives a part without attributes, to be removed. */
  readonly specialFiles: 'refuse' | 'show';
}

/**
 * What a listing says about a name that a walk came by.
 * @returns undefined when the name is gone, or has become something else, since the walk saw it
 * @throws PartPathInvalid, SpecialFile, RootUnreadable
 */
export async function readEntry(reader: EntryReader, visit: Visit): Promise<LiveEntry | undefined> {
  const { root, clock } = reader;
  assertPartPath(visit.path, describeRoot(root));
  if (visit.kind === 'directory') {
    return await readDirectoryEntry(root, visit);
  }
  if (visit.kind === 'special' && reader.specialFiles === 'refuse') {
    throw specialFile(visit.pathInRoot, describeRoot(root), visit.what ?? 'a special file');
  }
  // Before the file's times are asked for: a file written in between is then called racy rather than trusted.
  const listedAtEpochMillis = clock.nowEpochMillis();
  const stat =
    visit.kind === 'special' ? await statIfPresent(root, visit.pathInRoot) : await statOpened(root, visit.pathInRoot);
  if (stat === undefined || stat.isDirectory() || stat.isFile() !== (visit.kind === 'file')) {
    return undefined;
  }
  return partOf(root, visit, stat, listedAtEpochMillis);
}

async function readDirectoryEntry(root: FileRoot, visit: Visit): Promise<LiveEntry | undefined> {
  const stat = await statIfPresent(root, visit.pathInRoot.slice(0, -1));
  return stat?.isDirectory() ? { ...directoryOf(root, visit), attributes: attributesOf(stat) } : undefined;
}

function directoryOf(root: FileRoot, { path, rank }: Visit) {
  return { kind: 'directory', path, root: root.name, ...(rank === undefined ? {} : { rank }) } as const;
}

function partOf(root: FileRoot, visit: Visit, stat: BigIntStats, listedAtEpochMillis: number): LivePart {
  const part = {
    kind: 'part',
    path: visit.path,
    root: root.name,
    sizeBytes: visit.kind === 'file' ? Number(stat.size) : 0,
    token: tokenOf(stat),
    racy: isRacy(fileStatOf(stat), listedAtEpochMillis),
  } as const;
  return visit.kind === 'file' ? { ...part, attributes: attributesOf(stat) } : part;
}

/**
 * Stat of the opened file, not of its name: opening makes a network file system ask its server (close-to-open consistency), while a
 * stat by name may be answered from a cache.
 */
async function statOpened(root: FileRoot, pathInRoot: string): Promise<BigIntStats | undefined> {
  const file = await openPlain(root, pathInRoot);
  if (file === undefined) {
    return undefined;
  }
  try {
    return await file.stat({ bigint: true });
  } catch (error) {
    throw unreadable(pathInRoot, describeRoot(root), error);
  } finally {
    await file.close();
  }
}

/** @returns undefined when there is no such file, or a link or a socket has its name */
export async function openPlain(root: FileRoot, pathInRoot: string): Promise<FileHandle | undefined> {
  try {
    return await open(absolutePath(root, pathInRoot), PLAIN_READ);
  } catch (error) {
    const code = errorCodeOf(error);
    if (isAbsent(error) || code === 'ELOOP' || code === 'EMLINK' || code === 'ENXIO') {
      return undefined;
    }
    throw unreadable(pathInRoot, describeRoot(root), error);
  }
}

export function tokenOf(stat: BigIntStats): string {
  return fileToken(fileStatOf(stat));
}

function fileStatOf(stat: BigIntStats): FileStat {
  return { sizeBytes: stat.size, mtimeNs: stat.mtimeNs, ctimeNs: stat.ctimeNs, inode: stat.ino };
}

export function attributesOf(stat: BigIntStats): FileAttributes {
  return {
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeNs: String(stat.mtimeNs),
  };
}
