import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { PartChanged } from '../../core/errors.ts';
import { copyObject } from '../s3/object-copy.ts';
import { ownerHeaders } from '../s3/object-lock.ts';
import type { S3Bucket } from '../s3/s3-bucket.ts';
import { isAbsent, isConditionLost, isPreconditionFailed, s3Failure } from '../s3/s3-errors.ts';

/** User metadata of an object that was moved aside: ETag of the version that was moved. */
const MOVED_ETAG_METADATA = 'rankvault-moved-etag';

export interface AsideMove {
  readonly key: string;
  readonly asideKey: string;
  readonly multipartAboveBytes?: number;
  readonly rangeSizeBytes?: number;
}

/**
 * Moves an object inside a bucket: copies it to a key that nothing has, then deletes the version that was copied. What was moved
 * once is never written over: after a crash between the two steps only the deletion is made up for, and an object that has come
 * since (a part that the restore placed, met by a late ghost) stays where it is.
 * @throws PartChanged when something else writes the object at the same time
 */
export async function moveObjectAside(bucket: S3Bucket, move: AsideMove): Promise<void> {
  const head = await headObject(bucket, move.key);
  if (head === undefined) {
    return;
  }
  const etag = head.ETag ?? '';
  const outcome = await copyAside(bucket, move, head);
  if (outcome === 'copied' || (outcome === 'refused' && (await movedEtag(bucket, move)) === etag)) {
    await deleteVersion(bucket, move.key, etag);
  }
}

/** @returns `refused` when something lies aside, or the object has changed since the HEAD; `gone` when a ghost was faster */
async function copyAside(
  bucket: S3Bucket,
  move: AsideMove,
  head: HeadObjectCommandOutput,
): Promise<'copied' | 'refused' | 'gone'> {
  const { key, asideKey, ...sizes } = move;
  const { client: _, ...owned } = bucket;
  const etag = head.ETag ?? '';
  try {
    await copyObject({
      source: { ...owned, key, etag },
      target: bucket,
      key: asideKey,
      sizeBytes: head.ContentLength ?? 0,
      algorithm: 'CRC64NVME',
      ifNoneMatch: '*',
      description: { ...descriptionOf(head), Metadata: { ...head.Metadata, [MOVED_ETAG_METADATA]: etag } },
      ...sizes,
    });
    return 'copied';
  } catch (error) {
    if (isConditionLost(error)) {
      return 'refused';
    }
    if (isAbsent(error)) {
      return 'gone';
    }
    throw s3Failure(error, { operation: 'Moving aside', bucket: bucket.bucket, key });
  }
}

/** Which version of the object lies aside. */
async function movedEtag(bucket: S3Bucket, move: AsideMove): Promise<string | undefined> {
  const aside = await headObject(bucket, move.asideKey);
  if (aside === undefined) {
    throw new PartChanged(`s3://${bucket.bucket}/${move.key} changed while it was moved aside.`, {
      hint: 'Make sure that nothing writes to the target cluster, then start the restore again.',
    });
  }
  return aside.Metadata?.[MOVED_ETAG_METADATA];
}

/** Deletes this version only; another one, or none, is fine. */
async function deleteVersion(bucket: S3Bucket, key: string, etag: string): Promise<void> {
  try {
    await bucket.client.send(
      new DeleteObjectCommand({
        Bucket: bucket.bucket,
        Key: key,
        IfMatch: etag,
        ...ownerHeaders(bucket.expectedBucketOwner),
      }),
    );
  } catch (error) {
    if (!isAbsent(error) && !isPreconditionFailed(error)) {
      throw s3Failure(error, { operation: 'DeleteObject', bucket: bucket.bucket, key });
    }
  }
}

async function headObject(bucket: S3Bucket, key: string): Promise<HeadObjectCommandOutput | undefined> {
  try {
    return await bucket.client.send(
      new HeadObjectCommand({ Bucket: bucket.bucket, Key: key, ...ownerHeaders(bucket.expectedBucketOwner) }),
    );
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw s3Failure(error, { operation: 'HeadObject', bucket: bucket.bucket, key });
  }
}

/** What a reader of the object is told, which a copy with new metadata would lose. */
function descriptionOf(head: HeadObjectCommandOutput) {
  const { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl } = head;
  return {
    ...(ContentType === undefined ? {} : { ContentType }),
    ...(ContentEncoding === undefined ? {} : { ContentEncoding }),
    ...(ContentDisposition === undefined ? {} : { ContentDisposition }),
    ...(ContentLanguage === undefined ? {} : { ContentLanguage }),
    ...(CacheControl === undefined ? {} : { CacheControl }),
  };
}
