import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { blocksOf } from './block-stream.ts';
import { lockHeaders, ownerHeaders } from './object-lock.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { S3RequestFailed } from './s3-errors.ts';

/** Up to one block a stream is one PutObject; above, a multipart upload of such blocks. S3 takes parts from 5 MiB. */
export const BLOCK_SIZE_BYTES = 8 * 1024 * 1024;
/** S3 takes 10,000 parts in an upload, so a streamed object has 78 GiB at most: a compressed manifest of about a billion parts. */
const MAX_PARTS = 10_000;

export interface StreamUpload {
  readonly key: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** `*`: create only. @default - whatever is there is written over */
  readonly ifNoneMatch?: '*';
}

/**
 * Uploads a stream of unknown length, holding two blocks at most. A multipart upload that fails is aborted. Conditions are judged
 * by S3 when the last byte has been read, so the stream is always consumed.
 */
export async function uploadStream(bucket: VaultBucket, upload: StreamUpload): Promise<void> {
  const blocks = blocksOf(upload.body, BLOCK_SIZE_BYTES);
  const first = await blocks.next();
  const second = first.done === true ? first : await blocks.next();
  if (first.done === true || second.done === true) {
    await putBytes(bucket, { ...upload, bytes: first.done === true ? new Uint8Array() : first.value });
    return;
  }
  await uploadParts(bucket, upload, startingWith([first.value, second.value], blocks));
}

export interface BytesUpload {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
}

/** One PutObject; the SDK adds a CRC32, which S3 checks. */
export async function putBytes(bucket: VaultBucket, upload: BytesUpload): Promise<void> {
  await bucket.client.send(
    new PutObjectCommand({
      Bucket: bucket.bucket,
      Key: upload.key,
      Body: upload.bytes,
      ChecksumAlgorithm: 'CRC32',
      ...(upload.ifNoneMatch === undefined ? {} : { IfNoneMatch: upload.ifNoneMatch }),
      ...(upload.ifMatch === undefined ? {} : { IfMatch: upload.ifMatch }),
      ...lockHeaders(bucket.objectLock),
      ...ownerHeaders(bucket.expectedBucketOwner),
    }),
  );
}

async function* startingWith(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first;
  yield* rest;
}

async function uploadParts(
  bucket: VaultBucket,
  upload: StreamUpload,
  blocks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const target = { Bucket: bucket.bucket, Key: upload.key, ...ownerHeaders(bucket.expectedBucketOwner) };
  const created = await bucket.client.send(
    new CreateMultipartUploadCommand({
      ...target,
      ChecksumAlgorithm: 'CRC32',
      ChecksumType: 'FULL_OBJECT',
      ...lockHeaders(bucket.objectLock),
    }),
  );
  const uploadId = created.UploadId;
  try {
    const parts: CompletedPart[] = [];
    for await (const block of blocks) {
      assertPartCount(parts.length, upload.key);
      const partNumber = parts.length + 1;
      const part = await bucket.client.send(
        new UploadPartCommand({
          ...target,
          UploadId: uploadId,
          PartNumber: partNumber,
          Body: block,
          ChecksumAlgorithm: 'CRC32',
        }),
      );
      parts.push({ PartNumber: partNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
    await bucket.client.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts },
        ChecksumType: 'FULL_OBJECT',
        ...(upload.ifNoneMatch === undefined ? {} : { IfNoneMatch: upload.ifNoneMatch }),
      }),
    );
  } catch (error) {
    await abortQuietly(bucket, upload.key, uploadId);
    throw error;
  }
}

function assertPartCount(finishedParts: number, key: string): void {
  if (finishedParts >= MAX_PARTS) {
    throw new S3RequestFailed(
      `The stream for ${key} is longer than ${MAX_PARTS} blocks of ${BLOCK_SIZE_BYTES} bytes.`,
      {
        hint: 'Split the rank: no rank of a supported size gets here.',
      },
    );
  }
}

/** Frees the parts. Failing at it costs storage until the bucket's lifecycle rule aborts the upload, and must not hide the first error. */
export async function abortQuietly(bucket: VaultBucket, key: string, uploadId: string | undefined): Promise<void> {
  try {
    await bucket.client.send(
      new AbortMultipartUploadCommand({
        Bucket: bucket.bucket,
        Key: key,
        UploadId: uploadId,
        ...ownerHeaders(bucket.expectedBucketOwner),
      }),
    );
  } catch {
    return;
  }
}
