import * as z from 'zod/mini';
import { type Context, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { ListedVersion } from '../store/version.ts';
import { nameEncoder, pageSizeOf } from './list-parameters.ts';
import { type ListingCursor, type ListingEntry, listPage } from './listing.ts';
import { accountId } from './owner.ts';

const tokenSchema = z.union([
  z.object({ kind: z.literal('afterKey'), key: z.string() }),
  z.object({ kind: z.literal('afterPrefix'), prefix: z.string() }),
]);

/** ListObjectsV2 */
export function listObjects(request: S3Request, { store }: Context): Reply {
  const { query } = request;
  const bucket = store.buckets.require(request.bucket);
  const encode = nameEncoder(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxEntries = pageSizeOf(request, 'max-keys');
  const start = startOf(query.get('continuation-token'), query.get('start-after'));
  const page = listPage(store.versions, bucket, { prefix, delimiter, maxEntries, allVersions: false, start });
  const withOwner = query.get('fetch-owner') === 'true';
  const shown = (name: string) => {
    const value = query.get(name);
    return value === undefined ? undefined : encode(value);
  };
  return xmlReply(
    [
      `${xmlDeclaration}<ListBucketResult ${xmlNamespace}>`,
      element('Name', bucket.name),
      element('Prefix', encode(prefix)),
      element('StartAfter', shown('start-after')),
      element('ContinuationToken', query.get('continuation-token')),
      element('NextContinuationToken', page.isTruncated ? tokenAfter(page.entries.at(-1)) : undefined),
      element('KeyCount', page.entries.length),
      element('MaxKeys', maxEntries),
      element('Delimiter', shown('delimiter')),
      element('EncodingType', query.get('encoding-type')),
      element('IsTruncated', page.isTruncated),
      ...page.entries.map((entry) => (entry.kind === 'version' ? contents(entry.version, encode, withOwner) : '')),
      ...page.entries.map((entry) => (entry.kind === 'prefix' ? commonPrefixXml(encode(entry.prefix)) : '')),
      '</ListBucketResult>',
    ].join(''),
  );
}

function contents(version: ListedVersion, encode: (name: string) => string, withOwner: boolean): string {
  const owner = withOwner ? `<Owner>${element('ID', accountId)}</Owner>` : '';
  return `<Contents>${element('Key', encode(version.key))}${listedFacts(version)}${owner}</Contents>`;
}

/** What both listings say about an object. */
export function listedFacts(version: ListedVersion): string {
  return (
    element('LastModified', listedDate(version.modifiedEpochMillis)) +
    element('ETag', `"${version.etag}"`) +
    element('ChecksumAlgorithm', version.checksumAlgorithm) +
    element('ChecksumType', version.checksumType) +
    element('Size', version.sizeBytes) +
    element('StorageClass', version.storageClass)
  );
}

export function commonPrefixXml(prefix: string): string {
  return `<CommonPrefixes>${element('Prefix', prefix)}</CommonPrefixes>`;
}

function tokenAfter(last: ListingEntry | undefined): string | undefined {
  if (last === undefined) return undefined;
  const cursor: ListingCursor =
    last.kind === 'prefix' ? { kind: 'afterPrefix', prefix: last.prefix } : { kind: 'afterKey', key: last.version.key };
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** A continuation token beats start-after. Throws InvalidArgument. */
function startOf(token: string | undefined, startAfter: string | undefined): ListingCursor | undefined {
  if (token === undefined) {
    return startAfter === undefined || startAfter === '' ? undefined : { kind: 'afterKey', key: startAfter };
  }
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
  } catch {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
}
