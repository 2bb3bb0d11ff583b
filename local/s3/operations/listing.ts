import type { Bucket } from '../store/buckets.ts';
import type { ListedVersion } from '../store/version.ts';
import type { VersionTable } from '../store/versions.ts';

/** Where a page begins. */
export type ListingCursor =
  | { readonly kind: 'afterKey'; readonly key: string }
  /** After every key of a common prefix that was already given. */
  | { readonly kind: 'afterPrefix'; readonly prefix: string }
  /** After one version of a key: its older ones come next. */
  | { readonly kind: 'afterVersion'; readonly key: string; readonly seq: number };

interface ListingQuery {
  readonly prefix: string;
  /** '' rolls nothing up. */
  readonly delimiter: string;
  readonly maxEntries: number;
  /** Every version and delete marker, or current objects only. */
  readonly allVersions: boolean;
  readonly start: ListingCursor | undefined;
}

export type ListingEntry =
  | { readonly kind: 'version'; readonly version: ListedVersion; readonly isLatest: boolean }
  | { readonly kind: 'prefix'; readonly prefix: string };

interface ListingPage {
  readonly entries: readonly ListingEntry[];
  readonly isTruncated: boolean;
}

/** One page of a bucket, in UTF-8 byte order; a common prefix costs one seek, however much lies under it. */
export function listPage(versions: VersionTable, bucket: Bucket, query: ListingQuery): ListingPage {
  const page: ListingEntry[] = [];
  if (query.maxEntries === 0) return { entries: page, isTruncated: false };
  let start = query.start;
  for (;;) {
    const scan = scanFrom(versions, bucket, query, start);
    const step = collect(scan, query, page, keyAlreadyBegun(versions, bucket, start));
    if (step === 'full') return { entries: page.slice(0, query.maxEntries), isTruncated: true };
    if (step === 'end') return { entries: page, isTruncated: false };
    start = step;
  }
}

/** Adds entries until the page has one too many, the listing ends, or a common prefix has to be jumped over. */
function collect(
  scan: Iterable<ListedVersion>,
  query: ListingQuery,
  page: ListingEntry[],
  keyBefore: string | undefined,
): ListingCursor | 'full' | 'end' {
  let previousKey = keyBefore;
  for (const version of scan) {
    if (!version.key.startsWith(query.prefix)) return 'end';
    const isLatest = version.key !== previousKey;
    previousKey = version.key;
    if (!query.allVersions && (!isLatest || version.isMarker)) continue;
    const prefix = commonPrefix(version.key, query);
    page.push(prefix === undefined ? { kind: 'version', version, isLatest } : { kind: 'prefix', prefix });
    if (page.length > query.maxEntries) return 'full';
    if (prefix !== undefined) return { kind: 'afterPrefix', prefix };
  }
  return 'end';
}

/** The key of a version marker, unless all its versions up to the marker were deleted meanwhile. */
function keyAlreadyBegun(versions: VersionTable, bucket: Bucket, start: ListingCursor | undefined): string | undefined {
  if (start?.kind !== 'afterVersion') return undefined;
  const current = versions.current(bucket, start.key);
  return current !== undefined && current.seq >= start.seq ? start.key : undefined;
}

function commonPrefix(key: string, { prefix, delimiter }: ListingQuery): string | undefined {
  if (delimiter === '') return undefined;
  const end = key.indexOf(delimiter, prefix.length);
  return end < 0 ? undefined : key.slice(0, end + delimiter.length);
}

function* scanFrom(
  versions: VersionTable,
  bucket: Bucket,
  query: ListingQuery,
  start: ListingCursor | undefined,
): Generator<ListedVersion> {
  const prefix = Buffer.from(query.prefix);
  if (start?.kind === 'afterVersion' && start.key.startsWith(query.prefix))
    yield* versions.scanOlder(bucket, start.key, start.seq);
  const after =
    start === undefined
      ? undefined
      : start.kind === 'afterPrefix'
        ? { key: successor(start.prefix), inclusive: true }
        : { key: Buffer.from(start.key), inclusive: false };
  const fromPrefix = { key: prefix, inclusive: true };
  yield* versions.scan(bucket, after === undefined || after.key.compare(prefix) < 0 ? fromPrefix : after);
}

/** The least key that does not begin with the prefix. UTF-8 has no byte 0xff, so the last byte can always grow. */
function successor(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) + 1;
  return bytes;
}
