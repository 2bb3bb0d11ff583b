import { type Checksum, checksumElement, checksumHeader } from '../protocol/checksums.ts';
import { definedHeaders, headerOf, type S3Request } from '../protocol/exchange.ts';
import { httpDate, isoDate } from '../protocol/times.ts';
import { element } from '../protocol/xml.ts';
import type { Bucket } from '../store/buckets.ts';
import type { ObjectVersion } from '../store/version.ts';
import { shownVersionId } from '../store/versions.ts';
import { countTags } from './description.ts';

/** What GET and HEAD say about a version, apart from the length. */
export function objectHeaders(request: S3Request, bucket: Bucket, version: ObjectVersion): Record<string, string> {
  const { attributes, lock } = version;
  const tagCount = countTags(version.tags);
  const asksForChecksum = headerOf(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  return {
    ...attributes.system,
    ...attributes.user,
    ...attributes.encryption,
    ...(asksForChecksum ? checksumHeaders(version.checksum) : {}),
    ...definedHeaders({
      etag: `"${version.etag}"`,
      'last-modified': httpDate(version.modifiedEpochMillis),
      'accept-ranges': 'bytes',
      'x-amz-version-id': shownVersionId(bucket, version.versionId),
      // S3 leaves the header away for the standard class.
      'x-amz-storage-class': version.storageClass === 'STANDARD' ? undefined : version.storageClass,
      'x-amz-tagging-count': tagCount === 0 ? undefined : String(tagCount),
      'x-amz-object-lock-mode': lock.retention?.mode,
      'x-amz-object-lock-retain-until-date':
        lock.retention === undefined ? undefined : isoDate(lock.retention.retainUntilEpochMillis),
      'x-amz-object-lock-legal-hold': lock.legalHold,
    }),
  };
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** `<ChecksumCRC32>..</ChecksumCRC32><ChecksumType>..</ChecksumType>` */
export function checksumElements(checksum: Checksum | undefined): string {
  if (checksum === undefined) return '';
  return element(checksumElement(checksum.algorithm), checksum.value) + element('ChecksumType', checksum.type);
}
