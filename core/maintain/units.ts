import * as z from 'zod/mini';
import { CLUSTER_RANK, type RankName, rankDirectory, snapshotDirectorySchema } from '../ids.ts';

/** What is surveyed at a time: one sub-directory of what one snapshot stored. Travels as an item of the survey's Map. */
export const unitSchema = z.object({
  /** free: find what nothing names. repair: find delete markers over what is named. */
  task: z.enum(['free', 'repair']),
  backup: z.string(),
  /** Of the snapshot that stored the bytes. */
  directory: snapshotDirectorySchema,
  /** `rank-3`, `cluster`, `.rewritten`, or `.catalog`: what the catalog has of the directory. */
  part: z.string(),
  /** What is left of a dead directory is residue; beside a live one only strangers are looked for. */
  dead: z.boolean(),
  /** What is free is locked until then, ISO 8601: it is counted and not deleted. */
  lockedUntil: z.optional(z.string()),
  /** Kept snapshots whose manifests say what stays. */
  referrers: z.array(
    z.object({
      snapshot: snapshotDirectorySchema,
      /** Of the manifest of this rank; none where all ranks are read. */
      sha256: z.optional(z.string()),
    }),
  ),
});
export type Unit = z.infer<typeof unitSchema>;

/** An item of the survey's Map. */
export const unitItemSchema = z.object({ unit: unitSchema });
export type UnitItem = z.infer<typeof unitItemSchema>;

/** Not a directory of the vault: manifests, attempt and record of a dead directory. */
export const CATALOG_PART = '.catalog';

/** Name of the unit in the work bucket, unique in the run. */
export function unitName({ backup, directory, part }: Pick<Unit, 'backup' | 'directory' | 'part'>): string {
  return `${backup}/${directory}/${part}`;
}

/** The rank whose natural keys lie under this name; undefined for all others, where only lines with a `key` point to. */
export function rankOfPart(part: string): RankName | undefined {
  if (part === CLUSTER_RANK) {
    return CLUSTER_RANK;
  }
  const rank = Number(/^rank-(\d{1,9})$/.exec(part)?.[1]);
  return Number.isNaN(rank) || rankDirectory(rank) !== part ? undefined : rank;
}
