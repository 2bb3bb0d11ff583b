import { CopyObjectCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { checksumOf } from '../../core/checksum.ts';
import { ConfigInvalid } from '../../core/errors.ts';
import type { Receipt } from '../../core/part.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { s3PinOf } from '../../core/source-token.ts';
import { keyInRoot, type S3RootLocation } from '../roots/s3-root-location.ts';
import { MULTIPART_COPY_ABOVE_BYTES, rangeSizeFor } from './copy-ranges.ts';
import { type CopySource, sourceHeaders } from './copy-source.ts';
import { combineCrc64 } from './crc64-combine.ts';
import { assertUnchanged, failingAsSource, type PartSource, sourceFailure } from './part-source.ts';
import { completeCopy, copyRanges, type FinishedRange, finishedRanges, type RangedCopy } from './ranged-copy.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { fullObjectChecksum } from './s3-checksum.ts';
import { isBadDigest, isConditionLost, S3RequestFailed } from './s3-errors.ts';
import { abortQuietly } from './stream-upload.ts';
import { readUploadRecord, writeUploadRecord } from './upload-record.ts';
import { creationHeaders, lookAt, type WrittenObject, writeOnce } from './write-once.ts';

export interface S3PartCopierOptions {
  readonly vault: VaultBucket;
  /** Keeps the ids of multipart uploads between tries. */
  readonly work: ObjectStore;
  readonly roots: readonly S3RootLocation[];
  /** @default MULTIPART_COPY_ABOVE_BYTES */
  readonly multipartAboveBytes?: number;
  /** S3 takes 5 MiB to 5 GiB. @default - 128 MiB, larger where 10,000 of these would not do */
  readonly rangeSizeBytes?: number;
}

/** Copies parts from S3 roots into the vault inside S3: no byte passes through here. */
export class S3PartCopier implements PartCopier {
  readonly #options: S3PartCopierOptions;

  constructor(options: S3PartCopierOptions) {
    this.#options = options;
  }

  async copy(task: CopyTask): Promise<Receipt | undefined> {
    if (task.shouldStop()) {
      return undefined;
    }
    const { part, backup, snapshot, rank } = task;
    const source = this.#sourceOf(task);
    const inRanges = part.sizeBytes > (this.#options.multipartAboveBytes ?? MULTIPART_COPY_ABOVE_BYTES);
    return writeOnce(this.#options.vault, {
      place: { backup, snapshot, rank, path: part.path },
      token: part.token,
      sizeBytes: part.sizeBytes,
      lookFirst: inRanges,
      write: async (key) => (inRanges ? this.#copyInRanges(task, source, key) : this.#copyWhole(task, source, key)),
      assertSourceUnchanged: async () => assertUnchanged(source),
    });
  }

  /** A 412 may be the source's or the target's: it is let through, and `writeOnce` looks at both. */
  async #copyWhole(task: CopyTask, source: PartSource, key: string): Promise<WrittenObject> {
    const { vault } = this.#options;
    try {
      const output = await vault.client.send(
        new CopyObjectCommand({
          Key: key,
          ...creationHeaders(vault, task.part.token),
          ...sourceHeaders(copySource(source)),
          IfNoneMatch: '*',
          ChecksumAlgorithm: 'CRC64NVME',
          MetadataDirective: 'REPLACE',
          TaggingDirective: 'REPLACE',
        }),
      );
      const result = output.CopyObjectResult;
      const checksum = result === undefined ? undefined : fullObjectChecksum(result);
      return result?.ETag === undefined || checksum === undefined
        ? await this.#lookBack(key)
        : { etag: result.ETag, versionId: output.VersionId, checksum };
    } catch (error) {
      throw sourceFailure(source, error);
    }
  }

  /** An answer without ETag or checksum proves nothing; the object, if it is there, does. */
  async #lookBack(key: string): Promise<WrittenObject> {
    const { vault } = this.#options;
    const present = await lookAt(vault, key);
    if (present?.checksum === undefined) {
      throw new S3RequestFailed(`CopyObject to s3://${vault.bucket}/${key} left no object with a CRC64NVME.`, {
        hint: 'Run it again; if it stays, the endpoint does not give checksums of copies: use S3 itself.',
      });
    }
    return { etag: present.etag, versionId: present.versionId, checksum: present.checksum };
  }

  async #copyInRanges(task: CopyTask, source: PartSource, key: string): Promise<WrittenObject | undefined> {
    const { copy, finished } = await this.#openUpload(task, source, key);
    const ranges = await failingAsSource(source, async () => copyRanges(copy, finished, task.shouldStop));
    if (ranges === undefined) {
      return undefined;
    }
    const written = await this.#complete(copy, ranges);
    await this.#options.work.delete(task.uploadKey);
    return written;
  }

  /** An upload that was refused for its key or its bytes will never be completed; after any other failure the next try goes on. */
  async #complete(copy: RangedCopy, ranges: readonly FinishedRange[]): Promise<WrittenObject> {
    const checksum = checksumOf('CRC64NVME', combineCrc64(ranges));
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
  async #openUpload(task: CopyTask, source: PartSource, key: string) {
    const { work } = this.#options;
    const { token, sizeBytes } = task.part;
    const record = await readUploadRecord(work, task.uploadKey);
    if (record?.key === key && record.token === token && record.sizeBytes === sizeBytes) {
      const copy = this.#rangedCopy(source, record);
      const finished = await finishedRanges(copy);
      if (finished !== undefined) {
        return { copy, finished };
      }
    }
    const uploadId = await this.#createUpload(key, token);
    const rangeSizeBytes = this.#options.rangeSizeBytes ?? rangeSizeFor(sizeBytes);
    const begun = { formatVersion: 1, uploadId, key, token, sizeBytes, rangeSizeBytes } as const;
    await writeUploadRecord(work, task.uploadKey, begun);
    return { copy: this.#rangedCopy(source, begun), finished: new Map<number, FinishedRange>() };
  }

  async #createUpload(key: string, token: string): Promise<string> {
    const { vault } = this.#options;
    const created = await vault.client.send(
      new CreateMultipartUploadCommand({
        Key: key,
        ...creationHeaders(vault, token),
        ChecksumAlgorithm: 'CRC64NVME',
        ChecksumType: 'FULL_OBJECT',
      }),
    );
    return created.UploadId ?? '';
  }

  #rangedCopy(
    source: PartSource,
    upload: {
      readonly uploadId: string;
      readonly key: string;
      readonly sizeBytes: number;
      readonly rangeSizeBytes: number;
    },
  ): RangedCopy {
    const { uploadId, key, sizeBytes, rangeSizeBytes } = upload;
    const target = this.#options.vault;
    return { source: copySource(source), target, key, uploadId, sizeBytes, rangeSizeBytes, algorithm: 'CRC64NVME' };
  }

  #sourceOf(task: CopyTask): PartSource {
    const { part, rank } = task;
    const root = this.#options.roots.find(({ name }) => name === part.root);
    const pin = s3PinOf(part.token);
    if (root === undefined || pin === undefined) {
      throw new ConfigInvalid(
        `${JSON.stringify(part.path)} is of root ${part.root}, which is no S3 root of this run.`,
        {
          hint: 'Do not change the roots of a cluster while a run of it is under way; take a new snapshot.',
        },
      );
    }
    return { ...root, key: keyInRoot(root, rank, part.path), ...pin };
  }
}

function copySource(source: PartSource): CopySource {
  return {
    bucket: source.bucket,
    key: source.key,
    etag: source.etag,
    ...(source.versionId === undefined ? {} : { versionId: source.versionId }),
    ...(source.expectedBucketOwner === undefined ? {} : { expectedBucketOwner: source.expectedBucketOwner }),
  };
}
