import * as z from 'zod/mini';
import { NameInvalid } from './errors.ts';
import { epochMillisOfIso, isoOfEpochMillis } from './utc.ts';

/** Names of deployments, clusters, backups, schedules and roots; they become key prefixes, so they never hold `/`, `.` or `*`. */
export const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

export const nameSchema = z
  .string()
  .check(
    z.regex(NAME_PATTERN, 'must begin with a letter and hold only letters, digits and "_", 63 characters at most'),
  );

export function assertName(kind: string, name: string): void {
  if (!NAME_PATTERN.test(name)) {
    throw new NameInvalid(`${JSON.stringify(name)} is not a valid ${kind} name.`, {
      hint: 'Use a letter followed by up to 62 letters, digits or "_".',
    });
  }
}

/** The pseudo-rank of files that belong to no rank. */
export const CLUSTER_RANK = 'cluster';

/** `0`, `1`, ... or `cluster`. */
export type RankName = number | typeof CLUSTER_RANK;

export const rankNameSchema: z.ZodMiniType<RankName> = z.union([
  z.int().check(z.nonnegative()),
  z.literal(CLUSTER_RANK),
]);

/** `rank-3`, or `cluster`: the directory of a rank in the vault and in the catalog. */
export function rankDirectory(rank: RankName): string {
  return rank === CLUSTER_RANK ? CLUSTER_RANK : `rank-${rank}`;
}

/** Numeric ranks ascending, then `cluster`. */
export function compareRanks(left: RankName, right: RankName): number {
  if (left === CLUSTER_RANK || right === CLUSTER_RANK) {
    return left === right ? 0 : left === CLUSTER_RANK ? 1 : -1;
  }
  return left - right;
}

const DIRECTORY = /^snapshot\.(\d{4}-\d{2}-\d{2})\.(\d{2})-(\d{2})-(\d{2})$/;
const ID = /^\d{13}$/;

/** A snapshot's id: epoch milliseconds as a string. */
export const snapshotIdSchema = z.string().check(z.regex(ID, 'must be 13 digits of epoch milliseconds'));

/** The directory of a snapshot in the vault and its name in the catalog; sorts by time. */
export const snapshotDirectorySchema = z
  .string()
  .check(z.regex(DIRECTORY, 'must look like snapshot.2026-01-31.23-59-59'));

/** `snapshot.YYYY-MM-DD.HH-MM-SS`, UTC, of a snapshot id. KAgent names its directories alike. */
export function directoryOfId(id: string): string {
  const iso = isoOfEpochMillis(Number(id));
  return `snapshot.${iso.slice(0, 10)}.${iso.slice(11, 19).replaceAll(':', '-')}`;
}

/** The second that a directory name says, as epoch milliseconds; undefined when the text is no snapshot directory. */
export function epochMillisOfDirectory(directory: string): number | undefined {
  const match = DIRECTORY.exec(directory);
  return match === null ? undefined : epochMillisOfIso(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`);
}

export function isSnapshotId(text: string): boolean {
  return ID.test(text);
}

/**
 * The id of a new snapshot: now, or later where the newest directory ever claimed (attempts and tombstones included) is not
 * before this second. Directories have seconds, so two ids within one second would share a directory: such an id moves to
 * the next free second.
 */
export function nextSnapshotId(nowEpochMillis: number, newestDirectory: string | undefined): string {
  const newest = newestDirectory === undefined ? undefined : epochMillisOfDirectory(newestDirectory);
  return String(newest === undefined ? nowEpochMillis : Math.max(nowEpochMillis, newest + 1000));
}
