import type { DeleteMarkerEntry, ListObjectVersionsCommandOutput, ObjectVersion } from '@aws-sdk/client-s3';
import type { ListedVersion } from '../../core/ports/vault-versions.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

/**
 * One page of ListObjectVersions in key order, the current version of a key first. S3 answers in one order and the SDK gives versions and
 * delete markers apart; of one key, their times say which is newer. Those are whole seconds: within one, markers come first, so that repair
 * takes off all that may lie over a version.
 */
export function versionsOfPage(page: ListObjectVersionsCommandOutput): readonly ListedVersion[] {
  const versions = (page.Versions ?? []).map(versionOf);
  const markers = (page.DeleteMarkers ?? []).map(markerOf);
  return markers.length === 0 ? versions : [...versions, ...markers].sort(inListingOrder);
}

function versionOf(entry: ObjectVersion): ListedVersion {
  return {
    ...nameOf(entry),
    kind: 'version',
    sizeBytes: entry.Size ?? 0,
    etag: entry.ETag ?? '',
    storageClass: entry.StorageClass ?? '',
  };
}

function markerOf(entry: DeleteMarkerEntry): ListedVersion {
  return { ...nameOf(entry), kind: 'deleteMarker', sizeBytes: 0, etag: '', storageClass: '' };
}

function nameOf(entry: ObjectVersion | DeleteMarkerEntry) {
  return {
    key: entry.Key ?? '',
    versionId: entry.VersionId ?? '',
    isLatest: entry.IsLatest === true,
    modifiedAtEpochMillis: entry.LastModified?.getTime() ?? 0,
  };
}

function inListingOrder(left: ListedVersion, right: ListedVersion): number {
  return (
    compareUtf8(left.key, right.key) ||
    Number(right.isLatest) - Number(left.isLatest) ||
    right.modifiedAtEpochMillis - left.modifiedAtEpochMillis ||
    Number(right.kind === 'deleteMarker') - Number(left.kind === 'deleteMarker')
  );
}
