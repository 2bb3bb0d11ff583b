import { PartPathInvalid, SourceUnreadable } from '../../core/errors.ts';
import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import type { LivePart } from '../../core/part.ts';
import { assertPartPath } from '../../core/part-path.ts';
import { canonicalPath } from '../../core/root-pattern.ts';
import { s3Token } from '../../core/source-token.ts';
import type { S3ListedObject } from '../s3/key-listing.ts';
import { unitsBelow } from '../s3/key-listing.ts';
import { mergeByPath } from './merge-entries.ts';
import { isReserved, rankStreams } from './s3-rank-listing.ts';
import { rankPrefix, type S3RootLocation } from './s3-root-location.ts';

export interface EntryOptions {
  /** Archived objects: a snapshot cannot read them, a restore only replaces or removes them. */
  readonly archived: 'refuse' | 'show';
}

/** Objects that must be thawed before they can be read (S3 user guide, "Understanding archival storage classes"). */
const ARCHIVE_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** Parts of one rank of one S3 root in UTF-8 order of their part paths. */
export async function* listS3Rank(
  location: S3RootLocation,
  rank: RankName,
  query: { readonly after: string | undefined } & EntryOptions,
): AsyncGenerator<LivePart, void, undefined> {
  const directory = rankPrefix(location, rank) ?? location.prefix;
  const streams = rankStreams(location, rank, query.after);
  yield* mergeByPath(streams.map((objects) => partsOf(location, { rank, directory, objects }, query)));
}

/** Ranks that have a directory in the root, ascending. */
export async function discoverS3Ranks(location: S3RootLocation): Promise<readonly number[]> {
  const { pattern, prefix } = location;
  if (pattern.fixedRank !== undefined) {
    return (await isAnythingThere(location, pattern.fixedRank)) ? [pattern.fixedRank] : [];
  }
  const parent = prefix + pattern.rankParent;
  const ranks: number[] = [];
  for await (const unit of unitsBelow(location, { prefix: parent, startAfter: undefined, visit: () => 'list' })) {
    const rank = unit.kind === 'prefix' ? pattern.rankOf(unit.prefix.slice(parent.length, -1)) : undefined;
    if (unit.kind === 'prefix' && rank !== undefined && !location.excludes(unit.prefix.slice(prefix.length))) {
      ranks.push(rank);
    }
  }
  return ranks.sort((left, right) => left - right);
}

async function isAnythingThere(location: S3RootLocation, rank: number): Promise<boolean> {
  const entries = listS3Rank(location, rank, { after: undefined, archived: 'show' });
  const first = await entries.next();
  await entries.return();
  return first.done !== true;
}

async function* partsOf(
  location: S3RootLocation,
  listed: { readonly rank: RankName; readonly directory: string; readonly objects: AsyncIterable<S3ListedObject> },
  options: EntryOptions,
): AsyncGenerator<LivePart, void, undefined> {
  for await (const object of listed.objects) {
    if (isListed(location, object)) {
      const pathInRank = object.key.slice(listed.directory.length);
      const path = listed.rank === CLUSTER_RANK ? pathInRank : canonicalPath(location.pattern, pathInRank);
      assertReadable(location, object, options);
      assertObjectPath(location, path);
      yield {
        kind: 'part',
        path,
        root: location.name,
        sizeBytes: object.sizeBytes,
        token: s3Token(object.etag, undefined),
        racy: false,
      };
    }
  }
}

/** Empty objects whose key ends in `/` are what the S3 console makes of "create folder": they are no data. */
function isListed(location: S3RootLocation, object: S3ListedObject): boolean {
  return !(
    (object.sizeBytes === 0 && object.key.endsWith('/')) ||
    isReserved(location, object.key) ||
    location.excludes(object.key.slice(location.prefix.length))
  );
}

function assertReadable(location: S3RootLocation, object: S3ListedObject, options: EntryOptions): void {
  if (options.archived === 'refuse' && ARCHIVE_CLASSES.has(object.storageClass ?? '')) {
    throw new SourceUnreadable(
      `s3://${location.bucket}/${object.key} is archived (storage class ${object.storageClass}).`,
      { hint: 'Copy it back to a class that is readable at once, or exclude it with an exclude pattern of its root.' },
    );
  }
}

function assertObjectPath(location: S3RootLocation, path: string): void {
  if (path.endsWith('/')) {
    throw new PartPathInvalid(`${JSON.stringify(path)} in root ${location.name} ends in "/" and has bytes.`, {
      hint: 'Rename the object, or exclude it with an exclude pattern of its root.',
    });
  }
  assertPartPath(path, `root ${location.name}`);
}
