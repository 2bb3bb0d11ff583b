import * as z from 'zod/mini';
import { CLUSTER_RANK, type RankName, rankDirectory, snapshotDirectorySchema } from '../ids.ts';

const referrerSchema = z.object({
  snapshot: snapshotDirectorySchema,
  /** Of the manifest of this rank; none where all ranks are read. */
  sha256: z.optional(z.string()),
});

/** What is surveyed at a time: one sub-directory of what one snapshot stored. Travels as an item of the survey's Map. */
export const unitSchema = z.object({
  /**
   * free: find what nothing names. foresee: count what nothing will name when the windows of what this run hides are over. repair: find
   * delete markers over what is named.
   */
  task: z.enum(['free', 'foresee', 'repair']),
  backup: z.string(),
  /** Of the snapshot that stored the bytes. */
  directory: snapshotDirectorySchema,
  /** `rank-3`, `cluster`, `.rewritten`, or `.catalog`: what the catalog has of the directory. */
  part: z.string(),
  /** What is left of a dead directory is residue; beside a live one only strangers are looked for. Not of `foresee`. */
  dead: z.boolean(),
  /** What is free is locked until then, ISO 8601: it is counted and not deleted. Of `foresee`: still locked then. */
  lockedUntil: z.optional(z.string()),
  /** Kept snapshots whose manifests say what stays. */
  referrers: z.array(referrerSchema),
  /**
   * Of `foresee` in a directory that this run does not hide: those that it hides and that name something there. Only what these name
   * can become free by it.
   */
  leaving: z.optional(z.array(referrerSchema)),
});
export type Unit = z.infer<typeof unitSchema>;

/** An item of the survey's Map. */
export const unitItemSchema = z.object({ unit: unitSchema });
export type UnitItem = z.infer<typeof unitItemSchema>;

/** Not a directory of the vault: manifests, attempt and record of a dead directory. */
export const CATALOG_PART = '.catalog';

/** Name of the unit in the work bucket, unique in the run. */
export function unitName({
  task,
  backup,
  directory,
  part,
}: Pick<Unit, 'task' | 'backup' | 'directory' | 'part'>): string {
  return task === 'foresee' ? `${backup}/${directory}/later/${part}` : `${backup}/${directory}/${part}`;
}

/** The rank whose natural keys lie under this name; undefined for all others, where only lines with a `key` point to. */
export function rankOfPart(part: string): RankName | undefined {
  if (part === CLUSTER_RANK) {
    return CLUSTER_RANK;
  }
  const rank = Number(/^rank-(\d{1,9})$/.exec(part)?.[1]);
  return Number.isNaN(rank) || rankDirectory(rank) !== part ? undefined : rank;
}
