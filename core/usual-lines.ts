import { type Checksum, checksumSchema } from './checksum.ts';
import type { CopyLine, DraftLine } from './draft.ts';
import { snapshotDirectorySchema } from './ids.ts';
import { type DirectoryLine, type ManifestLine, MTIME_NS_PATTERN, type PartLine } from './manifest.ts';
import type { FileAttributes } from './part.ts';

/**
 * Lines of the shapes that Rankvault writes, recognized by hand: zod gives the same answer in several times the time, and a rank
 * has a million of them. What is recognized is what zod would give, with its order of keys, which is the order in which carried
 * lines are written again. Everything else (a broken line, one with more in it) is undefined: zod judges it and words the error.
 */
export function usualManifestLine(value: unknown): ManifestLine | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  return value['directory'] === undefined ? usualPartLine(value) : usualDirectoryLine(value);
}

/** As `usualManifestLine`, of a draft. */
export function usualDraftLine(value: unknown): DraftLine | undefined {
  return isObject(value) && value['copy'] !== undefined ? usualCopyLine(value) : usualManifestLine(value);
}

function usualPartLine(value: Fields): PartLine | undefined {
  const { path, root, sizeBytes, token, racy, checksum, in: directory, etag, versionId, key } = value;
  if (!(isText(path) && isText(root) && isCount(sizeBytes) && isText(token) && isFlag(racy))) {
    return undefined;
  }
  if (!(isChecksum(checksum) && isDirectory(directory) && isText(etag) && isText(versionId) && isTextIfThere(key))) {
    return undefined;
  }
  const attributes = usualAttributes(value['attributes']);
  if (countKeys(value) !== 8 + there(racy) + there(key) + there(attributes)) {
    return undefined;
  }
  const line = { path, root, sizeBytes, token, checksum, in: directory, etag, versionId };
  if (racy === undefined && key === undefined) {
    return attributes === undefined ? line : { ...line, attributes };
  }
  return {
    ...{ path, root, sizeBytes, token, ...(racy === undefined ? {} : { racy }) },
    ...{ checksum, in: directory, etag, versionId, ...(key === undefined ? {} : { key }) },
    ...(attributes === undefined ? {} : { attributes }),
  };
}

function usualDirectoryLine(value: Fields): DirectoryLine | undefined {
  const { path, root, directory, rank } = value;
  const attributes = usualAttributes(value['attributes']);
  if (!(isText(path) && path.endsWith('/') && isText(root) && directory === true) || attributes === undefined) {
    return undefined;
  }
  if (!(rank === undefined || isCount(rank)) || countKeys(value) !== 4 + there(rank)) {
    return undefined;
  }
  return { path, root, directory, ...(rank === undefined ? {} : { rank }), attributes };
}

function usualCopyLine(value: Fields): CopyLine | undefined {
  const { path, root, sizeBytes, token, racy } = value;
  if (
    !(value['copy'] === true && isText(path) && isText(root) && isCount(sizeBytes) && isText(token) && isFlag(racy))
  ) {
    return undefined;
  }
  const attributes = usualAttributes(value['attributes']);
  if (countKeys(value) !== 5 + there(racy) + there(attributes)) {
    return undefined;
  }
  const line = { copy: true as const, path, root, sizeBytes, token, ...(racy === undefined ? {} : { racy }) };
  return attributes === undefined ? line : { ...line, attributes };
}

/** Undefined when they are not there, and when they are not usual: then there is a key more than what was recognized. */
function usualAttributes(value: unknown): FileAttributes | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { mode, uid, gid, mtimeNs } = value;
  const isUsual = isWhole(mode) && isWhole(uid) && isWhole(gid) && isText(mtimeNs) && MTIME_NS_PATTERN.test(mtimeNs);
  return isUsual && countKeys(value) === 4 ? { mode, uid, gid, mtimeNs } : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function countKeys(value: Fields): number {
  return Object.keys(value).length;
}

function there(value: unknown): 0 | 1 {
  return value === undefined ? 0 : 1;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTextIfThere(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isFlag(value: unknown): value is true | undefined {
  return value === undefined || value === true;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isCount(value: unknown): value is number {
  return isWhole(value) && value >= 0;
}

const CHECKSUM = checksumSchema._zod.pattern;

function isChecksum(value: unknown): value is Checksum {
  return typeof value === 'string' && CHECKSUM.test(value);
}

/** Neighboring lines mostly name the same snapshot: the last name that was found good. */
let lastDirectory: string | undefined;

function isDirectory(value: unknown): value is string {
  if (typeof value !== 'string') {
    return false;
  }
  if (value !== lastDirectory) {
    if (!snapshotDirectorySchema.safeParse(value).success) {
      return false;
    }
    lastDirectory = value;
  }
  return true;
}
