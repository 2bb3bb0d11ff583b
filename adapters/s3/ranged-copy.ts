import {
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  ListPartsCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import pMap, { pMapSkip } from 'p-map';
import { algorithmOf, base64Of, type Checksum, type ChecksumAlgorithm } from '../../core/checksum.ts';
import { type CopyRange, RANGE_CONCURRENCY, rangesOf } from './copy-ranges.ts';
import { type CopySource, sourceHeaders } from './copy-source.ts';
import { ownerHeaders } from './object-lock.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { isUploadGone, S3RequestFailed, s3Failure } from './s3-errors.ts';

/** A multipart upload that is being filled by copies of ranges of one object. */
export interface RangedCopy {
  readonly source: CopySource;
  readonly target: S3Bucket;
  readonly key: string;
  readonly uploadId: string;
  readonly sizeBytes: number;
  readonly rangeSizeBytes: number;
  readonly algorithm: ChecksumAlgorithm;
}

export interface FinishedRange {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  /** Of the range, in S3's base64. */
  readonly base64: string;
}

/**
 * Copies the ranges that are not finished yet, several at a time, each pinned to the source's version.
 * @returns all ranges in order, or undefined when `shouldStop()` became true first
 * @throws the SDK's errors
 */
export async function copyRanges(
  copy: RangedCopy,
  finished: ReadonlyMap<number, FinishedRange>,
  shouldStop: () => boolean,
): Promise<readonly FinishedRange[] | undefined> {
  const ranges = rangesOf(copy.sizeBytes, copy.rangeSizeBytes);
  const missing = ranges.filter((range) => finished.get(range.partNumber)?.sizeBytes !== range.sizeBytes);
  const copied = await pMap(missing, async (range) => (shouldStop() ? pMapSkip : copyRange(copy, range)), {
    concurrency: RANGE_CONCURRENCY,
  });
  if (copied.length < missing.length) {
    return undefined;
  }
  const all = new Map([...finished.values(), ...copied].map((range) => [range.partNumber, range]));
  return ranges.flatMap((range) => all.get(range.partNumber) ?? []);
}

async function copyRange(copy: RangedCopy, range: CopyRange): Promise<FinishedRange> {
  const output = await copy.target.client.send(
    new UploadPartCopyCommand({
      Bucket: copy.target.bucket,
      Key: copy.key,
      UploadId: copy.uploadId,
      PartNumber: range.partNumber,
      CopySourceRange: range.header,
      ...sourceHeaders(copy.source),
      ...ownerHeaders(copy.target.expectedBucketOwner),
    }),
  );
  const result = output.CopyPartResult;
  const base64 = copy.algorithm === 'CRC64NVME' ? result?.ChecksumCRC64NVME : result?.ChecksumCRC32;
  if (result?.ETag === undefined || base64 === undefined) {
    throw new S3RequestFailed(
      `UploadPartCopy to s3://${copy.target.bucket}/${copy.key} answered without an ETag or without the ${copy.algorithm} asked for.`,
      { hint: 'The endpoint does not give checksums of copied ranges: use S3 itself.' },
    );
  }
  return { partNumber: range.partNumber, sizeBytes: range.sizeBytes, etag: result.ETag, base64 };
}

/** Ranges that an earlier try has finished; undefined when the upload is gone. */
export async function finishedRanges(copy: RangedCopy): Promise<ReadonlyMap<number, FinishedRange> | undefined> {
  const finished = new Map<number, FinishedRange>();
  try {
    let marker: string | undefined;
    do {
      const page = await copy.target.client.send(
        new ListPartsCommand({
          Bucket: copy.target.bucket,
          Key: copy.key,
          UploadId: copy.uploadId,
          ...(marker === undefined ? {} : { PartNumberMarker: marker }),
          ...ownerHeaders(copy.target.expectedBucketOwner),
        }),
      );
      for (const part of page.Parts ?? []) {
        const base64 = copy.algorithm === 'CRC64NVME' ? part.ChecksumCRC64NVME : part.ChecksumCRC32;
        if (part.PartNumber !== undefined && part.ETag !== undefined && base64 !== undefined) {
          finished.set(part.PartNumber, {
            partNumber: part.PartNumber,
            sizeBytes: part.Size ?? 0,
            etag: part.ETag,
            base64,
          });
        }
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return finished;
  } catch (error) {
    if (isUploadGone(error)) {
      return undefined;
    }
    throw s3Failure(error, { operation: 'ListParts', bucket: copy.target.bucket, key: copy.key });
  }
}

/**
 * Makes the object, which S3 does only when the whole has the checksum given.
 * @throws the SDK's errors; BadDigest when the bytes are not those of the checksum
 */
export async function completeCopy(
  copy: RangedCopy,
  ranges: readonly FinishedRange[],
  end: { readonly checksum: Checksum; readonly ifNoneMatch?: '*' },
): Promise<CompleteMultipartUploadCommandOutput> {
  const crc64 = algorithmOf(end.checksum) === 'CRC64NVME';
  const value = base64Of(end.checksum);
  return copy.target.client.send(
    new CompleteMultipartUploadCommand({
      Bucket: copy.target.bucket,
      Key: copy.key,
      UploadId: copy.uploadId,
      MultipartUpload: {
        Parts: ranges.map((range) => ({
          PartNumber: range.partNumber,
          ETag: range.etag,
          ...(crc64 ? { ChecksumCRC64NVME: range.base64 } : { ChecksumCRC32: range.base64 }),
        })),
      },
      ChecksumType: 'FULL_OBJECT',
      ...(crc64 ? { ChecksumCRC64NVME: value } : { ChecksumCRC32: value }),
      MpuObjectSize: copy.sizeBytes,
      ...(end.ifNoneMatch === undefined ? {} : { IfNoneMatch: end.ifNoneMatch }),
      ...ownerHeaders(copy.target.expectedBucketOwner),
    }),
  );
}
