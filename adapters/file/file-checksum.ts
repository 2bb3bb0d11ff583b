import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts';
import { openPlain } from './file-entry.ts';
import { unreadable } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { statPlain } from './plain-path.ts';
import { startChecksum } from './running-checksum.ts';

const READ_SIZE_BYTES = 1024 * 1024;

/**
 * Checksum of what a file holds now.
 * @param path inside the root
 * @returns undefined when no regular file has the path
 */
export async function checksumOfFile(
  root: FileRoot,
  path: string,
  algorithm: ChecksumAlgorithm,
): Promise<Checksum | undefined> {
  if (!(await statPlain(root, path))?.isFile()) {
    return undefined;
  }
  const file = await openPlain(root, path);
  if (file === undefined) {
    return undefined;
  }
  const running = startChecksum(algorithm);
  const buffer = Buffer.allocUnsafe(READ_SIZE_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_SIZE_BYTES);
      if (bytesRead === 0) {
        return await running.finish();
      }
      running.update(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    throw unreadable(path, describeRoot(root), error);
  } finally {
    await file.close();
  }
}
