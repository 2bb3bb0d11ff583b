import { HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { PartChanged, PartMissing, SourceUnreadable } from '../../core/errors.ts';
import { ownerHeaders } from './object-lock.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { isAbsent, isArchived, isCustomerKeyNeeded, isPreconditionFailed } from './s3-errors.ts';

/** A source object as its listing saw it. */
export interface PartSource extends S3Bucket {
  readonly key: string;
  readonly etag: string;
  readonly versionId: string | undefined;
}

const RUN_AGAIN = 'Something writes to the source: find out what, then take a new snapshot.';

/**
 * Asks whether the object is still what was listed.
 * @throws PartChanged, PartMissing, SourceUnreadable
 */
export async function assertUnchanged(source: PartSource): Promise<void> {
  const head = await headObject(source).catch((error: unknown) => {
    throw rangeFailure(source, error);
  });
  if (head.ETag !== source.etag) {
    throw changed(source);
  }
}

function headObject(source: PartSource): Promise<HeadObjectCommandOutput> {
  return source.client.send(
    new HeadObjectCommand({
      Bucket: source.bucket,
      Key: source.key,
      ...(source.versionId === undefined ? {} : { VersionId: source.versionId }),
      ...ownerHeaders(source.expectedBucketOwner),
    }),
  );
}

/** As `sourceFailure`, of a request whose 412 too can only be the source's: UploadPartCopy has no conditions on its target. */
export function rangeFailure(source: PartSource, error: unknown): unknown {
  return isPreconditionFailed(error) ? changed(source, error) : sourceFailure(source, error);
}

/** Names the failures that are the source's; all others stay the SDK's, for `writeOnce` to judge. */
export function sourceFailure(source: PartSource, error: unknown): unknown {
  const where = `s3://${source.bucket}/${source.key}`;
  if (isAbsent(error)) {
    return new PartMissing(`${where} was listed and is gone.`, { hint: RUN_AGAIN, cause: error });
  }
  if (isArchived(error)) {
    return new SourceUnreadable(`${where} is archived.`, {
      hint: 'Copy it back to a class that is readable at once, or exclude it with an exclude pattern of its root.',
      cause: error,
    });
  }
  if (isCustomerKeyNeeded(error)) {
    return new SourceUnreadable(`${where} is encrypted with a customer-provided key (SSE-C).`, {
      hint: 'Encrypt it with SSE-S3 or SSE-KMS instead, or exclude it with an exclude pattern of its root.',
      cause: error,
    });
  }
  return error;
}

function changed(source: PartSource, cause?: unknown): PartChanged {
  return new PartChanged(`s3://${source.bucket}/${source.key} changed after it was listed.`, {
    hint: RUN_AGAIN,
    cause,
  });
}
