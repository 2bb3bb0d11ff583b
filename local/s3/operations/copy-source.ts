import { type Conditions, judgeRead, preconditionFailed } from '../protocol/conditions.ts';
import { type Context, headerOf, type S3Request } from '../protocol/exchange.ts';
import { decode } from '../protocol/route.ts';
import { S3Error } from '../protocol/s3-error.ts';
import type { Bucket } from '../store/buckets.ts';
import type { ObjectVersion } from '../store/version.ts';
import { requireReadable } from './description.ts';
import { noSuchKey } from './locate.ts';

export interface CopySource {
  readonly bucket: Bucket;
  readonly version: ObjectVersion;
  /** Whether the request named a version and not just the current one. */
  readonly pinned: boolean;
}

/** The source of CopyObject and UploadPartCopy, its conditions judged. */
export function locateSource(request: S3Request, { store }: Context): CopySource {
  const { bucket: name, key, versionId } = parseCopySource(headerOf(request, 'x-amz-copy-source') ?? '');
  const bucket = store.buckets.require(name);
  const version =
    versionId === undefined ? store.versions.current(bucket, key) : store.versions.find(bucket, key, versionId);
  if (version === undefined && versionId !== undefined) {
    throw new S3Error('NoSuchVersion', 'The specified version does not exist.');
  }
  if (version === undefined) throw noSuchKey(key);
  if (version.isMarker) {
    if (versionId === undefined) throw noSuchKey(key);
    throw new S3Error(
      'InvalidRequest',
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    );
  }
  requireSourceConditions(request, version);
  requireReadable(version.storageClass);
  return { bucket, version, pinned: versionId !== undefined };
}

/** `bucket/key?versionId=...`, percent-encoded; S3 reads a bare `+` as a space here. */
function parseCopySource(header: string): { bucket: string; key: string; versionId: string | undefined } {
  const mark = header.indexOf('?versionId=');
  const path = decode((mark < 0 ? header : header.slice(0, mark)).replaceAll('+', ' ')).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash <= 0 || slash === path.length - 1) {
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: bucket/key');
  }
  return {
    bucket: path.slice(0, slash),
    key: path.slice(slash + 1),
    versionId: mark < 0 ? undefined : decode(header.slice(mark + '?versionId='.length)),
  };
}

/** A copy has no 304: what a read would call not modified fails a copy too. */
function requireSourceConditions(request: S3Request, version: ObjectVersion): void {
  const conditions: Conditions = {
    ifMatch: headerOf(request, 'x-amz-copy-source-if-match'),
    ifNoneMatch: headerOf(request, 'x-amz-copy-source-if-none-match'),
    ifModifiedSince: headerOf(request, 'x-amz-copy-source-if-modified-since'),
    ifUnmodifiedSince: headerOf(request, 'x-amz-copy-source-if-unmodified-since'),
  };
  if (judgeRead(conditions, version) === 'holds') return;
  const failed = Object.entries({
    'x-amz-copy-source-If-Match': conditions.ifMatch,
    'x-amz-copy-source-If-None-Match': conditions.ifNoneMatch,
    'x-amz-copy-source-If-Unmodified-Since': conditions.ifUnmodifiedSince,
    'x-amz-copy-source-If-Modified-Since': conditions.ifModifiedSince,
  }).find(([, value]) => value !== undefined);
  throw preconditionFailed(failed?.[0] ?? 'x-amz-copy-source-If-Match');
}
