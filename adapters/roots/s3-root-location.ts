import { TopologyMismatch } from '../../core/errors.ts';
import { CLUSTER_RANK, type RankName, rankDirectory } from '../../core/ids.ts';
import { pathInRankOf, type RootPattern } from '../../core/root-pattern.ts';
import type { S3Bucket } from '../s3/s3-bucket.ts';
import type { Excludes } from './excludes.ts';

/** A root on S3: where it lies and how its paths are named. */
export interface S3RootLocation extends S3Bucket {
  /** The root's name. */
  readonly name: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  readonly pattern: RootPattern;
  readonly excludes: Excludes;
}

/** Directory of the rank's keys; undefined when the root cannot hold the rank. */
export function rankPrefix(location: S3RootLocation, rank: RankName): string | undefined {
  const { pattern, prefix } = location;
  if (rank === CLUSTER_RANK) {
    return pattern.fixedRank === undefined ? prefix : undefined;
  }
  return pattern.fixedRank === undefined || pattern.fixedRank === rank ? prefix + pattern.rankPath(rank) : undefined;
}

/**
 * Path of a part inside the root.
 * @throws TopologyMismatch when the root cannot hold the rank
 */
export function pathInRoot(location: S3RootLocation, rank: RankName, partPath: string): string {
  if (rankPrefix(location, rank) === undefined) {
    throw new TopologyMismatch(
      `Root ${location.name} holds rank ${location.pattern.fixedRank} only, and ${JSON.stringify(partPath)} is of ${rankDirectory(rank)}.`,
      { hint: 'Restore into a cluster that has a root for this rank.' },
    );
  }
  return rank === CLUSTER_RANK ? partPath : location.pattern.rankPath(rank) + pathInRankOf(location.pattern, partPath);
}

export function keyInRoot(location: S3RootLocation, rank: RankName, partPath: string): string {
  return location.prefix + pathInRoot(location, rank, partPath);
}
