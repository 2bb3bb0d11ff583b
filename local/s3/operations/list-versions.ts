import { type Context, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { Bucket } from '../store/buckets.ts';
import { nullVersionId, sequenceOf } from '../store/version-id.ts';
import { commonPrefixXml, listedFacts } from './list-objects.ts';
import { nameEncoder, pageSizeOf } from './list-parameters.ts';
import { type ListingCursor, type ListingEntry, listPage } from './listing.ts';
import { accountId } from './owner.ts';

/** ListObjectVersions: keys in byte order, the versions of each newest first. */
export function listObjectVersions(request: S3Request, context: Context): Reply {
  const { query } = request;
  const bucket = context.store.buckets.require(request.bucket);
  const encode = nameEncoder(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxEntries = pageSizeOf(request, 'max-keys');
  const start = startOf(request, bucket, context);
  const page = listPage(context.store.versions, bucket, { prefix, delimiter, maxEntries, allVersions: true, start });
  return xmlReply(
    [
      `${xmlDeclaration}<ListVersionsResult ${xmlNamespace}>`,
      element('Name', bucket.name),
      element('Prefix', encode(prefix)),
      element('KeyMarker', encode(query.get('key-marker') ?? '')),
      element('VersionIdMarker', query.get('version-id-marker') ?? ''),
      page.isTruncated ? nextMarkers(page.entries.at(-1), encode) : '',
      element('MaxKeys', maxEntries),
      delimiter === '' ? '' : element('Delimiter', encode(delimiter)),
      element('EncodingType', query.get('encoding-type')),
      element('IsTruncated', page.isTruncated),
      ...page.entries.map((entry) => (entry.kind === 'version' ? versionXml(entry, encode) : '')),
      ...page.entries.map((entry) => (entry.kind === 'prefix' ? commonPrefixXml(encode(entry.prefix)) : '')),
      '</ListVersionsResult>',
    ].join(''),
  );
}

function versionXml(
  { version, isLatest }: Extract<ListingEntry, { kind: 'version' }>,
  encode: (name: string) => string,
): string {
  const identity =
    element('Key', encode(version.key)) + element('VersionId', version.versionId) + element('IsLatest', isLatest);
  const owner = `<Owner>${element('ID', accountId)}</Owner>`;
  return version.isMarker
    ? `<DeleteMarker>${identity}${element('LastModified', listedDate(version.modifiedEpochMillis))}${owner}</DeleteMarker>`
    : `<Version>${identity}${listedFacts(version)}${owner}</Version>`;
}

function nextMarkers(last: ListingEntry | undefined, encode: (name: string) => string): string {
  if (last === undefined) return '';
  if (last.kind === 'prefix') return element('NextKeyMarker', encode(last.prefix));
  const { key, versionId } = last.version;
  return element('NextKeyMarker', encode(key)) + element('NextVersionIdMarker', versionId);
}

/** A key marker alone skips all versions of that key; one that is a common prefix skips what lies under it. */
function startOf(request: S3Request, bucket: Bucket, { store }: Context): ListingCursor | undefined {
  const key = request.query.get('key-marker') ?? '';
  const versionId = request.query.get('version-id-marker') ?? '';
  const delimiter = request.query.get('delimiter') ?? '';
  if (key === '') {
    if (versionId === '') return undefined;
    throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  if (versionId === '') {
    const isPrefix = delimiter !== '' && key.endsWith(delimiter);
    return isPrefix ? { kind: 'afterPrefix', prefix: key } : { kind: 'afterKey', key };
  }
  const seq = store.versions.find(bucket, key, versionId)?.seq ?? sequenceOf(versionId);
  if (seq !== undefined) return { kind: 'afterVersion', key, seq };
  // A null version that is gone says nothing about its place: rather list a version twice than never.
  if (versionId === nullVersionId) return { kind: 'afterVersion', key, seq: Number.MAX_SAFE_INTEGER };
  throw new S3Error('InvalidArgument', 'Invalid version id specified');
}
