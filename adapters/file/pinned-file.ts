import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { PartChanged, PartMissing, SourceUnreadable } from '../../core/errors.ts';
import type { SourceToken } from '../../core/source-token.ts';
import { PLAIN_READ, tokenOf } from './file-entry.ts';
import { errorCodeOf, isAbsent, passingFailure } from './file-errors.ts';
import { describeRoot, type FileRoot } from './file-root.ts';
import { absolutePath } from './plain-path.ts';

/** A source file, opened as exactly the version that a listing saw. Close it. */
export class PinnedFile {
  readonly #root: FileRoot;
  readonly #path: string;
  readonly #token: SourceToken;
  readonly #file: FileHandle;

  private constructor(root: FileRoot, path: string, token: SourceToken, file: FileHandle) {
    this.#root = root;
    this.#path = path;
    this.#token = token;
    this.#file = file;
  }

  /**
   * @param path inside the root
   * @throws PartMissing, PartChanged, SourceUnreadable, StoreUnavailable
   */
  static async open(root: FileRoot, path: string, token: SourceToken): Promise<PinnedFile> {
    const pinned = new PinnedFile(root, path, token, await openSource(root, path));
    try {
      await pinned.#assertToken(pinned.#file);
      return pinned;
    } catch (error) {
      await pinned.close();
      throw error;
    }
  }

  /**
   * Fills the buffer from the offset. Holes of a sparse file read as zeros.
   * @returns CRC32 of the bytes
   * @throws PartChanged when the file is shorter now
   */
  async read(bytes: Buffer, offsetBytes: number): Promise<number> {
    let filled = 0;
    let crc = 0;
    while (filled < bytes.byteLength) {
      const length = Math.min(bytes.byteLength - filled, READ_SIZE_BYTES);
      const { bytesRead } = await this.#file
        .read(bytes, filled, length, offsetBytes + filled)
        .catch((error: unknown) => this.#fail(error));
      if (bytesRead === 0) {
        throw this.#changed('became shorter');
      }
      crc = crc32(bytes.subarray(filled, filled + bytesRead), crc);
      filled += bytesRead;
    }
    return crc;
  }

  /**
   * To be called when everything has been read: the bytes are the version's only if neither the opened file nor the name has
   * changed. The name is opened again, which makes a network file system ask its server instead of its cache.
   *
   * @throws PartChanged
   */
  async assertUnchanged(): Promise<void> {
    await this.#assertToken(this.#file);
    const again = await openSource(this.#root, this.#path).catch((error: unknown) => {
      throw error instanceof PartMissing ? this.#changed('was removed or renamed') : error;
    });
    try {
      await this.#assertToken(again);
    } finally {
      await again.close();
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #assertToken(file: FileHandle): Promise<void> {
    const stat = await file.stat({ bigint: true }).catch((error: unknown) => this.#fail(error));
    if (!stat.isFile() || tokenOf(stat) !== this.#token) {
      throw this.#changed(`was listed as ${this.#token} and is ${tokenOf(stat)}`);
    }
  }

  #changed(how: string): PartChanged {
    return new PartChanged(
      `${JSON.stringify(this.#path)} in ${describeRoot(this.#root)} ${how} before it was read to its end.`,
      {
        hint: 'Make sure that nothing writes to the cluster files while they are copied, then take a new snapshot.',
      },
    );
  }

  #fail(error: unknown): never {
    throw sourceFailure(this.#root, this.#path, error);
  }
}

/** 1 MiB: the largest read that EFS serves in one request (EFS performance guide), and small enough to checksum from cache. */
const READ_SIZE_BYTES = 1024 * 1024;

async function openSource(root: FileRoot, path: string): Promise<FileHandle> {
  try {
    return await open(absolutePath(root, path), PLAIN_READ);
  } catch (error) {
    const code = errorCodeOf(error);
    if (isAbsent(error) || code === 'ELOOP' || code === 'ENXIO') {
      throw new PartMissing(`${JSON.stringify(path)} in ${describeRoot(root)} was listed and is gone.`, {
        hint: 'Make sure that nothing writes to the cluster files while they are copied, then take a new snapshot.',
      });
    }
    throw sourceFailure(root, path, error);
  }
}

function sourceFailure(root: FileRoot, path: string, cause: unknown): Error {
  const where = describeRoot(root);
  return (
    passingFailure(path, where, cause) ??
    new SourceUnreadable(
      `${JSON.stringify(path)} in ${where} cannot be read (${errorCodeOf(cause) ?? String(cause)}).`,
      {
        hint: 'Let the user of the function read the file, or exclude it.',
        cause,
      },
    )
  );
}
