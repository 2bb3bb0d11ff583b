import type { RankName } from '../ids.ts';
import type { LiveEntry } from '../part.ts';

/**
 * The files of a cluster as a snapshot reads them: all its roots together, rank by rank.
 *
 * Adapters: `adapters/roots/`; twin: `test/support/in-memory-source.ts`.
 */
export interface SourceRoots {
  /**
   * Entries of one rank in UTF-8 byte order of `path`, all roots merged; nothing of `.rankvault*`, nothing excluded.
   * A rank that has no directory in any root yields nothing.
   * @param after only entries whose path is greater; undefined for all
   * @throws PartPathInvalid, SpecialFile, PathCollision, RootUnreadable
   */
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry>;
  /** Rank numbers that have a directory in some root, ascending. Never `cluster`. */
  discoverRanks(): Promise<readonly number[]>;
  /** Names of roots in which a restore has begun and not finished. */
  findRestoreMarkers(): Promise<readonly string[]>;
}
