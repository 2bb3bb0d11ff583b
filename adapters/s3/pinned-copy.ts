import { CopyObjectCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { algorithmOf, type Checksum, type ChecksumAlgorithm, checksumOf } from '../../core/checksum.ts';
import { ChecksumMismatch } from '../../core/errors.ts';
import type { Receipt } from '../../core/part.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { CopyTask } from '../../core/ports/part-copier.ts';
import { MULTIPART_COPY_ABOVE_BYTES, rangeSizeFor } from './copy-ranges.ts';
import { type CopySource, sourceHeaders } from './copy-source.ts';
import { combineCrc64 } from './crc64-combine.ts';
import { completeCopy, copyRanges, type FinishedRange, finishedRanges, type RangedCopy } from './ranged-copy.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { fullObjectChecksumOf } from './s3-checksum.ts';
import { isBadDigest, isConditionLost, S3RequestFailed } from './s3-errors.ts';
import { abortQuietly } from './stream-upload.ts';
import { readUploadRecord, type UploadRecord, writeUploadRecord } from './upload-record.ts';
import { creationHeaders, lookAt, type WrittenObject, writeOnce } from './write-once.ts';

export interface PinnedCopyOptions {
  readonly vault: VaultBucket;
  /** Keeps the ids of multipart uploads between tries. */
  readonly work: ObjectStore;
  /** @default MULTIPART_COPY_ABOVE_BYTES */
  readonly multipartAboveBytes?: number;
  /** S3 takes 5 MiB to 5 GiB. @default - 128 MiB, larger where 10,000 of these would not do */
  readonly rangeSizeBytes?: number;
}

/** One version of an object that bytes are copied from inside S3, and what its failures are called. */
export interface PinnedSource {
  readonly copySource: CopySource;
  /** Names a failure that is the source's; any other stays the SDK's, for `writeOnce` to judge. */
  failure(error: unknown): unknown;
  /** As `failure`, where a 412 too can only be the source's: UploadPartCopy has no conditions on its target. */
  rangeFailure(error: unknown): unknown;
  /** Throws when it is not any more what was to be copied. */
  assertUnchanged(): Promise<void>;
}

export interface PinnedCopy {
  readonly task: CopyTask;
  readonly source: PinnedSource;
  /** Of the whole, where it is known before. The copy has this algorithm then. @default - the CRC64NVME that S3 computes */
  readonly expected?: Checksum;
}

/**
 * Copies one version into the vault inside S3 by the rule of `writeOnce`: no byte passes through here. Large ones in ranges, taken up
 * where an earlier try ended.
 * @returns undefined when the task said to stop
 * @throws ChecksumMismatch the copied bytes are not those expected
 */
export async function copyIntoVault(options: PinnedCopyOptions, copy: PinnedCopy): Promise<Receipt | undefined> {
  return new CopyIntoVault(options, copy).run();
}

class CopyIntoVault {
  readonly #options: PinnedCopyOptions;
  readonly #copy: PinnedCopy;
  readonly #algorithm: ChecksumAlgorithm;

  constructor(options: PinnedCopyOptions, copy: PinnedCopy) {
    this.#options = options;
    this.#copy = copy;
    this.#algorithm = copy.expected === undefined ? 'CRC64NVME' : algorithmOf(copy.expected);
  }

  async run(): Promise<Receipt | undefined> {
    const { task, source, expected } = this.#copy;
    if (task.shouldStop()) {
      return undefined;
    }
    const { part, backup, snapshot, rank } = task;
    const inRanges = part.sizeBytes > (this.#options.multipartAboveBytes ?? MULTIPART_COPY_ABOVE_BYTES);
    return writeOnce(this.#options.vault, {
      place: { backup, snapshot, rank, path: part.path },
      token: part.token,
      sizeBytes: part.sizeBytes,
      lookFirst: inRanges,
      write: async (key) => (inRanges ? this.#copyInRanges(key) : this.#copyWhole(key)),
      knownChecksum: () => expected,
      assertSourceUnchanged: async () => source.assertUnchanged(),
    });
  }

  /** A 412 may be the source's or the target's: it is let through, and `writeOnce` looks at both. */
  async #copyWhole(key: string): Promise<WrittenObject> {
    const { vault } = this.#options;
    const { source, task } = this.#copy;
    try {
      const output = await vault.client.send(
        new CopyObjectCommand({
          Key: key,
          ...creationHeaders(vault, task.part.token),
          ...sourceHeaders(source.copySource),
          IfNoneMatch: '*',
          ChecksumAlgorithm: this.#algorithm,
          MetadataDirective: 'REPLACE',
          TaggingDirective: 'REPLACE',
        }),
      );
      const result = output.CopyObjectResult;
      const checksum = result === undefined ? undefined : fullObjectChecksumOf(result, this.#algorithm);
      return this.#asExpected(
        key,
        result?.ETag === undefined || checksum === undefined
          ? await this.#lookBack(key)
          : { etag: result.ETag, versionId: output.VersionId, checksum },
      );
    } catch (error) {
      throw source.failure(error);
    }
  }

  #asExpected(key: string, written: WrittenObject): WrittenObject {
    const { expected } = this.#copy;
    if (expected !== undefined && written.checksum !== expected) {
      const { key: from, versionId } = this.#copy.source.copySource;
      throw new ChecksumMismatch(
        `${key} was copied from version ${versionId} of ${from} and has ${written.checksum}; ${expected} was recorded for it.`,
        { hint: 'The stored object is damaged: run a verification, and take a new full snapshot.' },
      );
    }
    return written;
  }

  /** An answer without ETag or checksum proves nothing; the object, if it is there, does. */
  async #lookBack(key: string): Promise<WrittenObject> {
    const { vault } = this.#options;
    const present = await lookAt(vault, key);
    if (present?.checksum === undefined || algorithmOf(present.checksum) !== this.#algorithm) {
      throw new S3RequestFailed(`CopyObject to s3://${vault.bucket}/${key} left no object with a ${this.#algorithm}.`, {
        hint: 'Run it again; if it stays, the endpoint does not give checksums of copies: use S3 itself.',
      });
    }
    return { etag: present.etag, versionId: present.versionId, checksum: present.checksum };
  }

  async #copyInRanges(key: string): Promise<WrittenObject | undefined> {
    const { task, source } = this.#copy;
    const { copy, finished } = await this.#openUpload(key);
    const ranges = await copyRanges(copy, finished, task.shouldStop).catch((error: unknown) => {
      throw source.rangeFailure(error);
    });
    if (ranges === undefined) {
      return undefined;
    }
    const written = await this.#complete(copy, ranges);
    await this.#options.work.delete(task.uploadKey);
    return written;
  }

  /** An upload that was refused for its key or its bytes will never be completed; after any other failure the next try goes on. */
  async #complete(copy: RangedCopy, ranges: readonly FinishedRange[]): Promise<WrittenObject> {
    const checksum = this.#copy.expected ?? checksumOf('CRC64NVME', combineCrc64(ranges));
    try {
      const output = await completeCopy(copy, ranges, { checksum, ifNoneMatch: '*' });
      return output.ETag === undefined
        ? await this.#lookBack(copy.key)
        : { etag: output.ETag, versionId: output.VersionId, checksum };
    } catch (error) {
      if (isConditionLost(error) || isBadDigest(error)) {
        await abortQuietly(copy.target, copy.key, copy.uploadId);
      }
      throw error;
    }
  }

  /** Goes on with the upload of an earlier try when it was for the same bytes and the same key and is still there. */
  async #openUpload(key: string) {
    const { work } = this.#options;
    const { uploadKey, part } = this.#copy.task;
    const { token, sizeBytes } = part;
    const record = await readUploadRecord(work, uploadKey);
    if (record?.key === key && record.token === token && record.sizeBytes === sizeBytes) {
      const copy = this.#rangedCopy(record);
      const finished = await finishedRanges(copy);
      if (finished !== undefined) {
        return { copy, finished };
      }
    }
    const uploadId = await this.#createUpload(key);
    const rangeSizeBytes = this.#options.rangeSizeBytes ?? rangeSizeFor(sizeBytes);
    const begun = { formatVersion: 1, uploadId, key, token, sizeBytes, rangeSizeBytes } as const;
    await writeUploadRecord(work, uploadKey, begun);
    return { copy: this.#rangedCopy(begun), finished: new Map<number, FinishedRange>() };
  }

  async #createUpload(key: string): Promise<string> {
    const { vault } = this.#options;
    const created = await vault.client.send(
      new CreateMultipartUploadCommand({
        Key: key,
        ...creationHeaders(vault, this.#copy.task.part.token),
        ChecksumAlgorithm: this.#algorithm,
        ChecksumType: 'FULL_OBJECT',
      }),
    );
    return created.UploadId ?? '';
  }

  #rangedCopy({ uploadId, key, sizeBytes, rangeSizeBytes }: UploadRecord): RangedCopy {
    const source = this.#copy.source.copySource;
    const target = this.#options.vault;
    return { source, target, key, uploadId, sizeBytes, rangeSizeBytes, algorithm: this.#algorithm };
  }
}
