import { CLUSTER_RANK, type RankName } from '../../core/ids.ts';
import { pathInRankOf } from '../../core/root-pattern.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { type ListingUnit, type S3ListedObject, unitsBelow, type Visit } from '../s3/key-listing.ts';
import { objectsInOrder } from '../s3/ordered-prefetch.ts';
import { RESERVED_PREFIX } from './restore-marker.ts';
import { rankPrefix, type S3RootLocation } from './s3-root-location.ts';

/** Objects of a rank as several streams; each is ordered by canonical part path, and together they are the rank. */
export function rankStreams(
  location: S3RootLocation,
  rank: RankName,
  after: string | undefined,
): readonly AsyncIterable<S3ListedObject>[] {
  const directory = rankPrefix(location, rank);
  if (directory === undefined) {
    return [];
  }
  const startAfter = after === undefined ? undefined : directory + after;
  if (rank === CLUSTER_RANK) {
    const visit = (prefix: string): Visit => visitOutsideOfRanks(location, prefix);
    return [objectsInOrder(location, unitsBelow(location, { prefix: directory, startAfter, visit }))];
  }
  const visit = (prefix: string): Visit => visitInRank(location, directory, prefix);
  const streams = [objectsInOrder(location, unitsBelow(location, { prefix: directory, startAfter, visit }))];
  return location.pattern.canonical
    ? streams
    : [...streams, objectsInOrder(location, tomUnits(location, directory, after))];
}

/** A name at the root that Rankvault keeps for itself. */
export function isReserved(location: S3RootLocation, key: string): boolean {
  return key.startsWith(location.prefix + RESERVED_PREFIX);
}

function isLeftOut(location: S3RootLocation, key: string): boolean {
  return isReserved(location, key) || location.excludes(key.slice(location.prefix.length));
}

function visitOutsideOfRanks(location: S3RootLocation, prefix: string): Visit {
  const parent = location.prefix + location.pattern.rankParent;
  if (isLeftOut(location, prefix)) {
    return 'skip';
  }
  if (parent.startsWith(prefix)) {
    return 'open';
  }
  const segment = segmentBelow(parent, prefix);
  return segment !== undefined && location.pattern.rankOf(segment) !== undefined ? 'skip' : 'list';
}

/** TOM directories that are not canonical come in the second stream, in canonical order. */
function visitInRank(location: S3RootLocation, directory: string, prefix: string): Visit {
  const { canonical, tomParent, tomOf } = location.pattern;
  if (isLeftOut(location, prefix)) {
    return 'skip';
  }
  if (tomParent === undefined) {
    return 'list';
  }
  if ((directory + tomParent).startsWith(prefix)) {
    return 'open';
  }
  const segment = canonical ? undefined : segmentBelow(directory + tomParent, prefix);
  return segment !== undefined && tomOf(segment) !== undefined ? 'skip' : 'list';
}

/** Name of the directory `prefix` when it lies right below `parent`. */
function segmentBelow(parent: string, prefix: string): string | undefined {
  const rest = prefix.startsWith(parent) ? prefix.slice(parent.length, -1) : '';
  return rest === '' || rest.includes('/') ? undefined : rest;
}

/** TOM directories in the order of their canonical names (`tom-10` before `tom-2`), from the one that holds `after`. */
async function* tomUnits(
  location: S3RootLocation,
  directory: string,
  after: string | undefined,
): AsyncGenerator<ListingUnit, void, undefined> {
  const { pattern } = location;
  const parent = directory + (pattern.tomParent ?? '');
  const toms: string[] = [];
  const visit = (prefix: string): Visit => (isLeftOut(location, prefix) ? 'skip' : 'list');
  for await (const unit of unitsBelow(location, { prefix: parent, startAfter: undefined, visit })) {
    const tom = unit.kind === 'prefix' ? pattern.tomOf(segmentBelow(parent, unit.prefix) ?? '') : undefined;
    if (tom !== undefined) {
      toms.push(`tom-${tom}/`);
    }
  }
  for (const tom of toms.sort(compareUtf8)) {
    const begun = after?.startsWith(tom) === true;
    if (begun || after === undefined || compareUtf8(tom, after) > 0) {
      const startAfter = begun ? directory + pathInRankOf(pattern, after) : undefined;
      yield { kind: 'prefix', prefix: directory + pathInRankOf(pattern, tom), startAfter };
    }
  }
}
