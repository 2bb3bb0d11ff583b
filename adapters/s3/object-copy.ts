import { CopyObjectCommand, CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { type Checksum, type ChecksumAlgorithm, checksumOf } from '../../core/checksum.ts';
import { MULTIPART_COPY_ABOVE_BYTES, rangeSizeFor, rangesOf } from './copy-ranges.ts';
import { type CopySource, sourceHeaders } from './copy-source.ts';
import { combineCrc64 } from './crc64-combine.ts';
import { ownerHeaders } from './object-lock.ts';
import { completeCopy, copyRanges, type FinishedRange, finishedRanges, type RangedCopy } from './ranged-copy.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { fullObjectChecksumOf } from './s3-checksum.ts';
import { isBadDigest, S3RequestFailed } from './s3-errors.ts';
import { abortQuietly } from './stream-upload.ts';

/** User metadata and content headers of an object. */
export interface ObjectDescription {
  readonly Metadata?: Record<string, string>;
  readonly ContentType?: string;
  readonly ContentEncoding?: string;
  readonly ContentDisposition?: string;
  readonly ContentLanguage?: string;
  readonly CacheControl?: string;
}

/** A server-side copy. */
export interface ObjectCopy {
  readonly source: CopySource;
  readonly target: S3Bucket;
  readonly key: string;
  readonly sizeBytes: number;
  readonly algorithm: ChecksumAlgorithm;
  /** Of the whole. A multipart copy with another one makes no object. @default - what S3 computes */
  readonly expected?: Checksum;
  /**
   * Given where the copy stands for its source; its tags are then copied too, except by a multipart copy, which cannot.
   * @default - neither description nor tags, whatever the source has
   */
  readonly description?: ObjectDescription;
  /** @default - whatever the key holds is written over */
  readonly ifNoneMatch?: '*';
  /** @default MULTIPART_COPY_ABOVE_BYTES */
  readonly multipartAboveBytes?: number;
  /** @default - see `rangeSizeFor` */
  readonly rangeSizeBytes?: number;
}

/**
 * Copies an object, in ranges when it is large.
 * @returns the copy's checksum as S3 computed it, for the caller to compare
 * @throws the SDK's errors
 */
export async function copyObject(copy: ObjectCopy): Promise<Checksum> {
  return copy.sizeBytes > (copy.multipartAboveBytes ?? MULTIPART_COPY_ABOVE_BYTES)
    ? copyInRanges(copy)
    : copyWhole(copy);
}

async function copyWhole(copy: ObjectCopy): Promise<Checksum> {
  const output = await copy.target.client.send(
    new CopyObjectCommand({
      Bucket: copy.target.bucket,
      Key: copy.key,
      ...sourceHeaders(copy.source),
      ChecksumAlgorithm: copy.algorithm,
      MetadataDirective: 'REPLACE',
      TaggingDirective: copy.description === undefined ? 'REPLACE' : 'COPY',
      ...copy.description,
      ...(copy.ifNoneMatch === undefined ? {} : { IfNoneMatch: copy.ifNoneMatch }),
      ...ownerHeaders(copy.target.expectedBucketOwner),
    }),
  );
  const checksum = fullObjectChecksumOf(output.CopyObjectResult ?? {}, copy.algorithm);
  if (checksum === undefined) {
    throw new S3RequestFailed(
      `CopyObject to s3://${copy.target.bucket}/${copy.key} answered without the ${copy.algorithm} asked for.`,
      {
        hint: 'Run it again; if it stays, the endpoint does not give checksums of copies: use S3 itself.',
      },
    );
  }
  return checksum;
}

/**
 * Where the checksum of the whole is known, the upload of an earlier try that was killed is taken up: a part of terabytes takes longer
 * than a Lambda lives. Ranges of other bytes (of an earlier restore) cannot get through the checksum; then all are copied anew.
 */
async function copyInRanges(copy: ObjectCopy): Promise<Checksum> {
  const begun = copy.expected === undefined ? undefined : await findUpload(copy);
  if (begun !== undefined) {
    try {
      return await fillUpload(copy, begun);
    } catch (error) {
      if (!isBadDigest(error)) {
        throw error;
      }
    }
  }
  return fillUpload(copy, { uploadId: await createUpload(copy), finished: new Map() });
}

/** An upload that nobody can take up is aborted when it fails, because a root's bucket may have no rule that would. */
async function fillUpload(copy: ObjectCopy, upload: BegunUpload): Promise<Checksum> {
  const ranged = rangedCopy(copy, upload.uploadId);
  try {
    const ranges = (await copyRanges(ranged, upload.finished, () => false)) ?? [];
    const checksum = copy.expected ?? checksumOf('CRC64NVME', combineCrc64(ranges));
    const condition = copy.ifNoneMatch === undefined ? {} : { ifNoneMatch: copy.ifNoneMatch };
    await completeCopy(ranged, ranges, { checksum, ...condition });
    return checksum;
  } catch (error) {
    if (copy.expected === undefined || isBadDigest(error)) {
      await abortQuietly(copy.target, copy.key, upload.uploadId);
    }
    throw error;
  }
}

interface BegunUpload {
  readonly uploadId: string;
  readonly finished: ReadonlyMap<number, FinishedRange>;
}

/** An upload to this key whose parts are ranges as this copy would cut them. */
async function findUpload(copy: ObjectCopy): Promise<BegunUpload | undefined> {
  const { client, bucket, expectedBucketOwner } = copy.target;
  const listed = await client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: copy.key, ...ownerHeaders(expectedBucketOwner) }),
  );
  for (const { Key, UploadId } of listed.Uploads ?? []) {
    if (Key === copy.key && UploadId !== undefined) {
      const ranged = rangedCopy(copy, UploadId);
      const finished = await finishedRanges(ranged);
      if (finished !== undefined && areRangesOf(ranged, finished)) {
        return { uploadId: UploadId, finished };
      }
    }
  }
  return undefined;
}

function areRangesOf(copy: RangedCopy, finished: ReadonlyMap<number, FinishedRange>): boolean {
  const ranges = rangesOf(copy.sizeBytes, copy.rangeSizeBytes);
  const fits = [...finished.values()].every((range) => ranges[range.partNumber - 1]?.sizeBytes === range.sizeBytes);
  return finished.size > 0 && fits;
}

function rangedCopy(copy: ObjectCopy, uploadId: string): RangedCopy {
  return { ...copy, uploadId, rangeSizeBytes: copy.rangeSizeBytes ?? rangeSizeFor(copy.sizeBytes) };
}

async function createUpload(copy: ObjectCopy): Promise<string> {
  const created = await copy.target.client.send(
    new CreateMultipartUploadCommand({
      Bucket: copy.target.bucket,
      Key: copy.key,
      ChecksumAlgorithm: copy.algorithm,
      ChecksumType: 'FULL_OBJECT',
      ...copy.description,
      ...ownerHeaders(copy.target.expectedBucketOwner),
    }),
  );
  return created.UploadId ?? '';
}
