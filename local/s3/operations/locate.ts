import type { Context, S3Request } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { httpDate } from '../protocol/times.ts';
import type { Bucket } from '../store/buckets.ts';
import type { ObjectVersion, Version } from '../store/version.ts';
import { shownVersionId } from '../store/versions.ts';

/** The version a request names, or the current one. Throws NoSuchKey, NoSuchVersion. */
export function locateVersion(request: S3Request, { store }: Context): Version {
  const bucket = store.buckets.require(request.bucket);
  const versionId = request.query.get('versionId');
  const version =
    versionId === undefined
      ? store.versions.current(bucket, request.key)
      : store.versions.find(bucket, request.key, versionId);
  if (version !== undefined) return version;
  if (versionId === undefined) throw noSuchKey(request.key);
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', {
    elements: { Key: request.key, VersionId: versionId },
  });
}

/** The object a read names; a delete marker is NoSuchKey, or MethodNotAllowed when named by its version. */
export function locateObject(request: S3Request, context: Context): ObjectVersion {
  const version = locateVersion(request, context);
  if (!version.isMarker) return version;
  const bucket = context.store.buckets.require(request.bucket);
  throw markerError(request, bucket, version);
}

function markerError(request: S3Request, bucket: Bucket, marker: Version): S3Error {
  const versionId = shownVersionId(bucket, marker.versionId);
  const headers = {
    'x-amz-delete-marker': 'true',
    ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
  };
  if (!request.query.has('versionId')) return noSuchKey(request.key, headers);
  return new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    elements: { Method: request.body.method ?? 'GET', ResourceType: 'DeleteMarker' },
    headers: { ...headers, allow: 'DELETE', 'last-modified': httpDate(marker.modifiedEpochMillis) },
  });
}

export function noSuchKey(key: string, headers: Readonly<Record<string, string>> = {}): S3Error {
  return new S3Error('NoSuchKey', 'The specified key does not exist.', { elements: { Key: key }, headers });
}
