import { PutObjectCommand } from '@aws-sdk/client-s3';
import { base64Of, crc32Checksum } from '../../core/checksum.ts';
import type { Receipt } from '../../core/part.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import type { VaultBucket } from '../s3/s3-bucket.ts';
import { creationHeaders, type WrittenObject, writeOnce } from '../s3/write-once.ts';
import { BufferPool } from './buffer-pool.ts';
import { type FileRoot, pathInRoot } from './file-root.ts';
import { MultipartPartUpload } from './multipart-part-upload.ts';
import { RANGE_SIZE_BYTES } from './part-ranges.ts';
import { PinnedFile } from './pinned-file.ts';

/** What the copies of one function hold at a time: sixteen ranges, or one larger range of a part above 1.2 TiB. */
const POOL_SIZE_BYTES = 16 * RANGE_SIZE_BYTES;

/** One pool for all roots and copies of a process. */
export function createBufferPool(): BufferPool {
  return new BufferPool(POOL_SIZE_BYTES, RANGE_SIZE_BYTES);
}

interface FilePartCopierOptions {
  readonly root: FileRoot;
  readonly vault: VaultBucket;
  readonly work: ObjectStore;
  readonly pool: BufferPool;
}

/**
 * Streams parts of a file root into the vault. A part is read once, from a file opened as the listed version; its CRC32 is computed
 * while reading, checked by S3, and nothing is created when the file is not the same after the last byte as before the first.
 */
export class FilePartCopier implements PartCopier {
  readonly #options: FilePartCopierOptions;

  constructor(options: FilePartCopierOptions) {
    this.#options = options;
  }

  async copy(task: CopyTask): Promise<Receipt | undefined> {
    if (task.shouldStop()) {
      return undefined;
    }
    const { root } = this.#options;
    const file = await PinnedFile.open(root, pathInRoot(root, task.rank, task.part.path), task.part.token);
    try {
      return task.part.sizeBytes <= RANGE_SIZE_BYTES
        ? await this.#copySmall(task, file)
        : await this.#copyLarge(task, file);
    } finally {
      await file.close();
    }
  }

  async #copySmall(task: CopyTask, file: PinnedFile): Promise<Receipt | undefined> {
    const loan = await this.#options.pool.borrow(task.part.sizeBytes);
    try {
      const checksum = crc32Checksum(await file.read(loan.bytes, 0));
      await file.assertUnchanged();
      return await writeOnce(this.#options.vault, {
        ...subjectOf(task),
        knownChecksum: () => checksum,
        write: (key) => this.#put({ key, token: task.part.token, bytes: loan.bytes, checksum }),
      });
    } finally {
      loan.giveBack();
    }
  }

  async #put(put: Put): Promise<WrittenObject> {
    const { vault } = this.#options;
    const answer = await vault.client.send(
      new PutObjectCommand({
        ...creationHeaders(vault, put.token),
        Key: put.key,
        Body: put.bytes,
        ContentLength: put.bytes.byteLength,
        ChecksumCRC32: base64Of(put.checksum),
        IfNoneMatch: '*',
      }),
    );
    return { etag: answer.ETag ?? '', versionId: answer.VersionId, checksum: put.checksum };
  }

  async #copyLarge(task: CopyTask, file: PinnedFile): Promise<Receipt | undefined> {
    const upload = new MultipartPartUpload(this.#options, task, file);
    return await writeOnce(this.#options.vault, {
      ...subjectOf(task),
      lookFirst: true,
      knownChecksum: () => (upload.wholeCrc32 === undefined ? undefined : crc32Checksum(upload.wholeCrc32)),
      write: (key) => upload.uploadTo(key),
    });
  }
}

interface Put {
  readonly key: string;
  readonly token: string;
  readonly bytes: Uint8Array;
  readonly checksum: ReturnType<typeof crc32Checksum>;
}

function subjectOf({ backup, snapshot, rank, part }: CopyTask) {
  return { place: { backup, snapshot, rank, path: part.path }, token: part.token, sizeBytes: part.sizeBytes };
}
