import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { FileAttributes } from '../../core/part.ts';
import { attributesOf } from './file-entry.ts';
import { errorCodeOf } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath } from './plain-path.ts';
import { notWritable, TargetNotWritable } from './target-errors.ts';

/**
 * Node sets times as seconds in a double, which today holds 238 ns steps: a restored mtime is within a quarter of a microsecond of the
 * recorded one, and this is the distance within which two times count as equal.
 */
const MTIME_TOLERANCE_NS = 1_000n;

/**
 * Gives an opened file or directory its owner, mode and mtime, in this order, because a change of the owner takes setuid bits away.
 * What is right already is not touched.
 *
 * @throws TargetNotWritable, among others when the owner differs and may not be changed
 */
export async function applyAttributes(
  root: FileRoot,
  path: string,
  file: FileHandle,
  wanted: FileAttributes,
): Promise<void> {
  try {
    const present = attributesOf(await file.stat({ bigint: true }));
    const ownerDiffers = present.uid !== wanted.uid || present.gid !== wanted.gid;
    if (ownerDiffers) {
      await file.chown(wanted.uid, wanted.gid).catch((error: unknown) => {
        throw ownerRefused(`${JSON.stringify(path)} in ${describeRoot(root)}`, present, wanted, error);
      });
    }
    if (ownerDiffers || present.mode !== wanted.mode) {
      await file.chmod(wanted.mode);
    }
    if (!sameTime(present.mtimeNs, wanted.mtimeNs)) {
      const seconds = secondsOf(BigInt(wanted.mtimeNs));
      await file.utimes(seconds, seconds);
    }
  } catch (error) {
    throw notWritable(path, describeRoot(root), error);
  }
}

/** @throws TargetNotWritable also when nothing, or a link, has the path */
export async function applyAttributesAt(root: FileRoot, path: string, wanted: FileAttributes): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(absolutePath(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw notWritable(path, describeRoot(root), error);
  }
  try {
    await applyAttributes(root, path, file, wanted);
  } finally {
    await file.close();
  }
}

function sameTime(leftNs: string, rightNs: string): boolean {
  const distance = BigInt(leftNs) - BigInt(rightNs);
  return distance > -MTIME_TOLERANCE_NS && distance < MTIME_TOLERANCE_NS;
}

/** As text, because Node takes negative numbers (times before 1970) for the present. */
function secondsOf(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const absolute = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  return `${sign}${absolute / 1_000_000_000n}.${String(absolute % 1_000_000_000n).padStart(9, '0')}`;
}

function ownerRefused(what: string, present: FileAttributes, wanted: FileAttributes, cause: unknown): unknown {
  if (errorCodeOf(cause) !== 'EPERM') {
    return cause;
  }
  return new TargetNotWritable(
    `${what} belongs to ${present.uid}:${present.gid}, must belong to ${wanted.uid}:${wanted.gid}, and the function may not change that.`,
    {
      hint: 'Let the restore run as root (an EFS access point with POSIX user 0) or as the recorded owner, then run it again.',
      cause,
    },
  );
}
