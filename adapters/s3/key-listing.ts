import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { ownerHeaders } from './object-lock.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { s3Failure } from './s3-errors.ts';

export interface S3ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly storageClass: string | undefined;
}

/** One object, or all keys of a prefix (those after `startAfter`), which stay to be listed. */
export type ListingUnit =
  | { readonly kind: 'object'; readonly object: S3ListedObject }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly startAfter: string | undefined };

/** What to do with a directory: list all below it, look at its own entries one by one, or leave it out. */
export type Visit = 'list' | 'open' | 'skip';

export interface PageQuery {
  readonly prefix: string;
  readonly startAfter: string | undefined;
  /** @default - all keys below the prefix */
  readonly delimiter?: '/';
}

/** Pages of a listing, objects and common prefixes of each in one UTF-8 order. */
export async function* listPages(
  bucket: S3Bucket,
  query: PageQuery,
): AsyncGenerator<readonly ListingUnit[], void, undefined> {
  let token: string | undefined;
  do {
    const page = await requestPage(bucket, query, token);
    yield unitsOfPage(page);
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

async function requestPage(
  bucket: S3Bucket,
  query: PageQuery,
  token: string | undefined,
): Promise<ListObjectsV2CommandOutput> {
  try {
    return await bucket.client.send(
      new ListObjectsV2Command({
        Bucket: bucket.bucket,
        Prefix: query.prefix,
        ...(query.delimiter === undefined ? {} : { Delimiter: query.delimiter }),
        ...(query.startAfter === undefined ? {} : { StartAfter: query.startAfter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
        ...ownerHeaders(bucket.expectedBucketOwner),
      }),
    );
  } catch (error) {
    throw s3Failure(error, { operation: 'ListObjectsV2', bucket: bucket.bucket, key: query.prefix });
  }
}

function unitsOfPage(page: ListObjectsV2CommandOutput): readonly ListingUnit[] {
  const objects = (page.Contents ?? []).map(
    (entry): ListingUnit => ({
      kind: 'object',
      object: {
        key: entry.Key ?? '',
        sizeBytes: entry.Size ?? 0,
        etag: entry.ETag ?? '',
        storageClass: entry.StorageClass,
      },
    }),
  );
  const prefixes = (page.CommonPrefixes ?? []).map(
    (entry): ListingUnit => ({ kind: 'prefix', prefix: entry.Prefix ?? '', startAfter: undefined }),
  );
  return prefixes.length === 0
    ? objects
    : [...objects, ...prefixes].sort((a, b) => compareUtf8(placeOf(a), placeOf(b)));
}

function placeOf(unit: ListingUnit): string {
  return unit.kind === 'object' ? unit.object.key : unit.prefix;
}

export interface DirectoryQuery {
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  /** A key below the prefix: only keys after it. */
  readonly startAfter: string | undefined;
  readonly visit: (prefix: string) => Visit;
}

/**
 * The entries of a directory in key order, directories as `visit` says. Asks S3 for nothing before `startAfter`.
 *
 * The directory that holds `startAfter` is taken up by name, because endpoints disagree whether a listing with a delimiter shows a
 * common prefix some of whose keys lie before its start.
 */
export async function* unitsBelow(
  bucket: S3Bucket,
  query: DirectoryQuery,
): AsyncGenerator<ListingUnit, void, undefined> {
  const { prefix, startAfter } = query;
  const begun = directoryHolding(prefix, startAfter);
  if (begun !== undefined) {
    yield* visitDirectory(bucket, query, { prefix: begun, startAfter });
  }
  for await (const page of listPages(bucket, { prefix, startAfter, delimiter: '/' })) {
    for (const unit of page) {
      if (unit.kind === 'object') {
        yield unit;
      } else if (unit.prefix !== begun) {
        yield* visitDirectory(bucket, query, unit);
      }
    }
  }
}

async function* visitDirectory(
  bucket: S3Bucket,
  query: DirectoryQuery,
  directory: { readonly prefix: string; readonly startAfter: string | undefined },
): AsyncGenerator<ListingUnit, void, undefined> {
  const visit = query.visit(directory.prefix);
  if (visit === 'open') {
    yield* unitsBelow(bucket, { ...query, ...directory });
  } else if (visit === 'list') {
    yield { kind: 'prefix', prefix: directory.prefix, startAfter: directory.startAfter };
  }
}

/** The directory right below the prefix that the key lies in, if it lies in one. */
function directoryHolding(prefix: string, key: string | undefined): string | undefined {
  const slash = key === undefined ? -1 : key.indexOf('/', prefix.length);
  return key === undefined || slash < 0 ? undefined : key.slice(0, slash + 1);
}
