import { CopyObjectCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { type Checksum, type ChecksumAlgorithm, checksumOf } from '../../core/checksum.ts';
import { MULTIPART_COPY_ABOVE_BYTES, rangeSizeFor } from './copy-ranges.ts';
import { type CopySource, sourceHeaders } from './copy-source.ts';
import { combineCrc64 } from './crc64-combine.ts';
import { ownerHeaders } from './object-lock.ts';
import { completeCopy, copyRanges, type RangedCopy } from './ranged-copy.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { fullObjectChecksumOf } from './s3-checksum.ts';
import { S3RequestFailed } from './s3-errors.ts';
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

/** A server-side copy. Tags stay behind. */
export interface ObjectCopy {
  readonly source: CopySource;
  readonly target: S3Bucket;
  readonly key: string;
  readonly sizeBytes: number;
  readonly algorithm: ChecksumAlgorithm;
  /** Of the whole. A multipart copy with another one makes no object. @default - what S3 computes */
  readonly expected?: Checksum;
  /** @default - the copy has none, whatever the source has */
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
      TaggingDirective: 'REPLACE',
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

/** Not resumed: whatever ends it also aborts the upload, because a root's bucket may have no rule that would. */
async function copyInRanges(copy: ObjectCopy): Promise<Checksum> {
  const uploadId = await createUpload(copy);
  const ranged: RangedCopy = { ...copy, uploadId, rangeSizeBytes: copy.rangeSizeBytes ?? rangeSizeFor(copy.sizeBytes) };
  try {
    const ranges = (await copyRanges(ranged, new Map(), () => false)) ?? [];
    const checksum = copy.expected ?? checksumOf('CRC64NVME', combineCrc64(ranges));
    await completeCopy(ranged, ranges, { checksum, ...(copy.ifNoneMatch === undefined ? {} : { ifNoneMatch: copy.ifNoneMatch }) });
    return checksum;
  } catch (error) {
    await abortQuietly(copy.target, copy.key, uploadId);
    throw error;
  }
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
