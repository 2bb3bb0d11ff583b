import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type Part,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { base64Of, crc32Checksum } from '../../core/checksum.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { SourceToken } from '../../core/source-token.ts';
import { ownerHeaders } from '../s3/object-lock.ts';
import type { VaultBucket } from '../s3/s3-bucket.ts';
import { isUploadGone } from '../s3/s3-errors.ts';
import { abortQuietly } from '../s3/stream-upload.ts';
import { creationHeaders, type WrittenObject } from '../s3/write-once.ts';
import { combineCrc32 } from './crc32-combine.ts';
import type { PartRange } from './part-ranges.ts';

/** A range that S3 has, with the CRC32 that S3 checked it against. */
interface FinishedRange {
  readonly etag: string;
  readonly crc32: number;
  readonly sizeBytes: number;
}

/**
 * One multipart upload of a vault part.
 *
 * The checksum of the whole is combined from those of its ranges, which S3 checked when it took them. Reading the finished ranges
 * again on every try would do as well, but a part of terabytes takes longer to read than one Lambda runs, and would never get done.
 */
export class RangeUpload {
  readonly uploadId: string;
  readonly #vault: VaultBucket;
  readonly #key: string;
  readonly #finished = new Map<number, FinishedRange>();

  constructor(vault: VaultBucket, key: string, uploadId: string) {
    this.#vault = vault;
    this.#key = key;
    this.uploadId = uploadId;
  }

  static async create(vault: VaultBucket, key: string, token: SourceToken): Promise<RangeUpload> {
    const created = await vault.client.send(
      new CreateMultipartUploadCommand({
        ...creationHeaders(vault, token),
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ChecksumType: 'FULL_OBJECT',
      }),
    );
    if (created.UploadId === undefined) {
      throw new StoreUnavailable(`S3 gave no upload id for s3://${vault.bucket}/${key}.`, {
        hint: 'The workflow tries again; if it goes on, look at the health of S3.',
      });
    }
    return new RangeUpload(vault, key, created.UploadId);
  }

  /** Learns which ranges S3 has. @returns false when the upload is gone: completed or aborted by somebody */
  async resume(): Promise<boolean> {
    let marker: string | undefined;
    try {
      do {
        const page = await this.#vault.client.send(
          new ListPartsCommand({ ...this.#target(), ...(marker === undefined ? {} : { PartNumberMarker: marker }) }),
        );
        for (const part of page.Parts ?? []) {
          this.#remember(part);
        }
        marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
      } while (marker !== undefined);
      return true;
    } catch (error) {
      if (isUploadGone(error)) {
        return false;
      }
      throw error;
    }
  }

  has(range: PartRange): boolean {
    return this.#finished.get(range.number)?.sizeBytes === range.sizeBytes;
  }

  async send(range: PartRange, bytes: Uint8Array, crc32: number): Promise<void> {
    const answer = await this.#vault.client.send(
      new UploadPartCommand({
        ...this.#target(),
        PartNumber: range.number,
        Body: bytes,
        ContentLength: range.sizeBytes,
        ChecksumCRC32: base64Of(crc32Checksum(crc32)),
      }),
    );
    this.#finished.set(range.number, { etag: answer.ETag ?? '', crc32, sizeBytes: range.sizeBytes });
  }

  /** The CRC32 of the whole; every range must be finished. */
  crc32(): number {
    return this.#inOrder().reduce((whole, [, range]) => combineCrc32(whole, range.crc32, range.sizeBytes), 0);
  }

  /** Creates the object; S3 recomputes the checksum of the whole and refuses another. */
  async complete(sizeBytes: number): Promise<WrittenObject> {
    const checksum = crc32Checksum(this.crc32());
    const parts = this.#inOrder().map(
      ([number, range]): CompletedPart => ({
        PartNumber: number,
        ETag: range.etag,
        ChecksumCRC32: base64Of(crc32Checksum(range.crc32)),
      }),
    );
    const answer = await this.#vault.client.send(
      new CompleteMultipartUploadCommand({
        ...this.#target(),
        MultipartUpload: { Parts: parts },
        ChecksumType: 'FULL_OBJECT',
        ChecksumCRC32: base64Of(checksum),
        MpuObjectSize: sizeBytes,
        IfNoneMatch: '*',
      }),
    );
    return { etag: answer.ETag ?? '', versionId: answer.VersionId, checksum };
  }

  async abort(): Promise<void> {
    await abortQuietly(this.#vault, this.#key, this.uploadId);
  }

  #remember(part: Part): void {
    const { PartNumber, ETag, ChecksumCRC32, Size } = part;
    if (PartNumber !== undefined && ETag !== undefined && ChecksumCRC32 !== undefined && Size !== undefined) {
      const crc32 = Buffer.from(ChecksumCRC32, 'base64').readUInt32BE(0);
      this.#finished.set(PartNumber, { etag: ETag, crc32, sizeBytes: Size });
    }
  }

  #inOrder(): readonly (readonly [number, FinishedRange])[] {
    return [...this.#finished].sort(([left], [right]) => left - right);
  }

  #target() {
    const { bucket, expectedBucketOwner } = this.#vault;
    return { Bucket: bucket, Key: this.#key, UploadId: this.uploadId, ...ownerHeaders(expectedBucketOwner) };
  }
}
