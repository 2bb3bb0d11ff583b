import { PartChanged, StoreUnavailable } from '../../core/errors.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { CopyTask } from '../../core/ports/part-copier.ts';
import type { VaultBucket } from '../s3/s3-bucket.ts';
import { isUploadGone } from '../s3/s3-errors.ts';
import { abortQuietly } from '../s3/stream-upload.ts';
import type { WrittenObject } from '../s3/write-once.ts';
import type { BufferPool } from './buffer-pool.ts';
import { type PartRange, rangesOf } from './part-ranges.ts';
import type { PinnedFile } from './pinned-file.ts';
import { RangeUpload } from './range-upload.ts';
import { UploadRecordFile } from './upload-record.ts';

/** Ranges of one part that are read and sent at a time: one connection to S3 carries 80 to 100 MB/s. */
const RANGES_IN_FLIGHT = 4;
/** Ghosts of a step that may come in between the look at the record of an upload and its creation. */
const MAX_OPEN_TRIES = 4;

interface MultipartContext {
  readonly vault: VaultBucket;
  readonly work: ObjectStore;
  readonly pool: BufferPool;
}

/** The multipart upload of one large source file, resumed where an earlier try has left it. */
export class MultipartPartUpload {
  readonly #context: MultipartContext;
  readonly #task: CopyTask;
  readonly #file: PinnedFile;
  readonly #record: UploadRecordFile;
  #wholeCrc32: number | undefined;

  constructor(context: MultipartContext, task: CopyTask, file: PinnedFile) {
    this.#context = context;
    this.#task = task;
    this.#file = file;
    this.#record = new UploadRecordFile(context.work, task.uploadKey);
  }

  /** CRC32 of the source's bytes, once all of them are with S3. */
  get wholeCrc32(): number | undefined {
    return this.#wholeCrc32;
  }

  /**
   * @returns undefined when `shouldStop()` became true first
   * @throws PartChanged; nothing is completed then, and the upload is aborted
   */
  async uploadTo(key: string): Promise<WrittenObject | undefined> {
    const upload = await this.#open(key);
    try {
      const finished = await this.#sendAll(upload);
      if (!finished) {
        return undefined;
      }
      await this.#file.assertUnchanged();
      this.#wholeCrc32 = upload.crc32();
      const written = await upload.complete(this.#task.part.sizeBytes);
      await this.#record.delete();
      return written;
    } catch (error) {
      if (error instanceof PartChanged) {
        await upload.abort();
        await this.#record.delete();
      }
      throw isDisturbed(error) ? disturbedUpload(this.#context.vault, key, error) : error;
    }
  }

  async #open(key: string): Promise<RangeUpload> {
    const { vault } = this.#context;
    const identity = { key, token: this.#task.part.token };
    for (let tries = 0; tries < MAX_OPEN_TRIES; tries += 1) {
      const known = await this.#resumeRecorded(key);
      if (known !== undefined) {
        return known;
      }
      const upload = await RangeUpload.create(vault, key, identity.token);
      if ((await this.#record.create(identity, upload.uploadId)) === 'created') {
        return upload;
      }
      await upload.abort();
    }
    throw disturbedUpload(vault, key, undefined);
  }

  /** A record of another key or version is left from a part that changed, or from the natural key when that was taken. */
  async #resumeRecorded(key: string): Promise<RangeUpload | undefined> {
    const { vault } = this.#context;
    const recorded = await this.#record.read();
    if (recorded === undefined) {
      return undefined;
    }
    const { value, etag } = recorded;
    if (value.key === key && value.token === this.#task.part.token) {
      const upload = new RangeUpload(vault, key, value.uploadId);
      if (await upload.resume()) {
        return upload;
      }
    } else {
      await abortQuietly(vault, value.key, value.uploadId);
    }
    await this.#record.discard(etag);
    return undefined;
  }

  /** @returns false when it stopped early; ranges under way are finished first, also when one fails */
  async #sendAll(upload: RangeUpload): Promise<boolean> {
    const queue: Queue = { ranges: rangesOf(this.#task.part.sizeBytes), stopped: false };
    const workers = Array.from({ length: RANGES_IN_FLIGHT }, () => this.#sendFrom(queue, upload));
    for (const worker of await Promise.allSettled(workers)) {
      if (worker.status === 'rejected') {
        throw worker.reason;
      }
    }
    return !queue.stopped;
  }

  async #sendFrom(queue: Queue, upload: RangeUpload): Promise<void> {
    for (const range of queue.ranges) {
      if (upload.has(range)) {
        continue;
      }
      if (queue.stopped || this.#task.shouldStop()) {
        queue.stopped = true;
        return;
      }
      try {
        await this.#sendRange(upload, range);
      } catch (error) {
        queue.stopped = true;
        throw error;
      }
    }
  }

  async #sendRange(upload: RangeUpload, range: PartRange): Promise<void> {
    const loan = await this.#context.pool.borrow(range.sizeBytes);
    try {
      const crc32 = await this.#file.read(loan.bytes, range.offsetBytes);
      await upload.send(range, loan.bytes, crc32);
    } finally {
      loan.giveBack();
    }
  }
}

/** Shared by the workers of one upload. */
interface Queue {
  readonly ranges: Generator<PartRange>;
  stopped: boolean;
}

/**
 * A ghost of this step completed or aborted the upload, or sent a range again, which gives the range another ETag (`InvalidPart`). The
 * next try finds the finished object, or lists the ranges as they are then.
 */
function isDisturbed(error: unknown): boolean {
  return isUploadGone(error) || (error instanceof Error && error.name === 'InvalidPart');
}

function disturbedUpload(vault: VaultBucket, key: string, cause: unknown): StoreUnavailable {
  return new StoreUnavailable(
    `The multipart upload of s3://${vault.bucket}/${key} was ended or changed by somebody else.`,
    {
      hint: 'The workflow tries again; if it goes on, look for a lifecycle rule that aborts uploads too early.',
      cause,
    },
  );
}
