import * as z from 'zod/mini';
import { snapshotTypeSchema } from './config/schema.ts';
import { formatVersionSchema } from './format.ts';
import { nameSchema, rankNameSchema, snapshotDirectorySchema, snapshotIdSchema } from './ids.ts';
import { topologySchema } from './topology.ts';

/** The JSON objects of the catalog. See docs/FORMAT.md. */

const count = z.int().check(z.nonnegative());

/** What one rank, or a whole snapshot, holds. `stored*` was copied by this snapshot, the rest is carried from its chain. */
export const totalsSchema = z.object({
  parts: count,
  bytes: count,
  storedParts: count,
  storedBytes: count,
  directories: count,
});
export type Totals = z.infer<typeof totalsSchema>;

export const NO_TOTALS: Totals = { parts: 0, bytes: 0, storedParts: 0, storedBytes: 0, directories: 0 };

export function addTotals(left: Totals, right: Totals): Totals {
  return {
    parts: left.parts + right.parts,
    bytes: left.bytes + right.bytes,
    storedParts: left.storedParts + right.storedParts,
    storedBytes: left.storedBytes + right.storedBytes,
    directories: left.directories + right.directories,
  };
}

/**
 * Object Lock of what a snapshot stored. Every object is locked for `retainDays` + `chainDays` from its own creation, so that what
 * later snapshots carry stays locked for as long as they promise. All times ISO 8601 UTC.
 */
export const recordLockSchema = z.object({
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
  /** The snapshot's promise: `retainDays` after it was taken. */
  promisedUntil: z.string(),
  /** No object of this snapshot is free before this. */
  earliest: z.string(),
  /** Every object of this snapshot is free after this. */
  latest: z.string(),
  /** The least `earliest` of the whole chain: from here on a byte that the snapshot names may be deletable. */
  chainUntil: z.string(),
});
export type RecordLock = z.infer<typeof recordLockSchema>;

/** `attempts/<snapshot>.json`: this execution owns the directory, whether or not a snapshot comes of it. */
export const attemptSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
  id: snapshotIdSchema,
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  type: snapshotTypeSchema,
  base: z.optional(snapshotDirectorySchema),
  claimedAt: z.string(),
});
export type Attempt = z.infer<typeof attemptSchema>;

/** `snapshots/<snapshot>.json`: the commit point. */
export const snapshotRecordSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  cluster: nameSchema,
  snapshot: snapshotDirectorySchema,
  id: snapshotIdSchema,
  type: snapshotTypeSchema,
  requestedType: snapshotTypeSchema,
  /** Why this type and this base. */
  reason: z.string(),
  base: z.optional(snapshotDirectorySchema),
  /** The full that this snapshot rests on; itself for a full. */
  full: snapshotDirectorySchema,
  /** Every snapshot whose bytes this one names, itself included, oldest first. */
  chain: z.array(snapshotDirectorySchema).check(z.minLength(1)),
  /** The moment that the snapshot shows: when the last listing began, with the cluster held still. ISO 8601 UTC. */
  takenAt: z.string(),
  startedAt: z.string(),
  committedAt: z.string(),
  execution: z.string(),
  executionArn: z.string(),
  schedule: z.optional(z.string()),
  scheduledTime: z.optional(z.string()),
  source: z.object({ kind: z.enum(['files', 'kagent']), directory: z.optional(z.string()), quiesced: z.boolean() }),
  definition: z.object({ number: z.int(), digest: z.string() }),
  serverVersion: z.optional(z.string()),
  topology: topologySchema,
  totals: totalsSchema,
  /** SHA-256, hex, of ranks.jsonl.gz. */
  ranksSha256: z.string(),
  /** @default - the deployment has no Object Lock */
  lock: z.optional(recordLockSchema),
  /** A merged full: the snapshots that it was made from, oldest first. Nothing of the source was read for it. */
  mergedFrom: z.optional(z.array(snapshotDirectorySchema)),
});
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>;

/** A line of `ranks.jsonl.gz` after its header. */
export const rankLineSchema = z.object({
  rank: rankNameSchema,
  sha256: z.string(),
  sizeBytes: count,
  totals: totalsSchema,
  /** The snapshots whose bytes this rank's manifest names, by directory; parts and bytes of each add up to the totals. */
  in: z.array(z.object({ snapshot: snapshotDirectorySchema, parts: count, bytes: count })),
});
export type RankLine = z.infer<typeof rankLineSchema>;

export const ranksHeaderSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
});

/** `definitions/<n>.json`: what the backup covers. */
export const definitionRecordSchema = z.object({
  formatVersion: formatVersionSchema,
  number: z.int(),
  digest: z.string(),
  definition: z.unknown(),
  since: z.string(),
});

/** Why and by whom a snapshot was hidden. */
export const TOMBSTONE_ACTIONS = ['purge', 'expire', 'merge', 'drop', 'collect', 'steal'] as const;

/**
 * `tombstones/<snapshot>.json`: hides the snapshot, whatever else the catalog has of it. It stays for ever, also when every byte is
 * gone; only `undelete` takes it back, by a delete marker, before `bytesKeptUntil`.
 */
export const tombstoneSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
  action: z.enum(TOMBSTONE_ACTIONS),
  /** In words, for whoever wonders where the snapshot went. */
  reason: z.string(),
  at: z.string(),
  execution: z.string(),
  executionArn: z.string(),
  /** No byte and no manifest of the snapshot is deleted before this; until then it can be undeleted. */
  bytesKeptUntil: z.string(),
  /** Facts of the record, which is deleted in the end; none for an attempt that never became a snapshot. */
  record: z.optional(
    z.object({
      id: snapshotIdSchema,
      type: snapshotTypeSchema,
      takenAt: z.string(),
      totals: totalsSchema,
      lock: z.optional(recordLockSchema),
    }),
  ),
});
export type Tombstone = z.infer<typeof tombstoneSchema>;

/** `pins/<snapshot>.json`: retention keeps the snapshot and `purge` refuses it, until `unpin` puts a delete marker over this. */
export const pinSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
  reason: z.string(),
  at: z.string(),
  execution: z.string(),
});
export type Pin = z.infer<typeof pinSchema>;

/** `freeze.json` of a backup: nothing of it is hidden or deleted, until `thaw` puts a delete marker over this. */
export const freezeSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  reason: z.string(),
  at: z.string(),
  execution: z.string(),
});
export type Freeze = z.infer<typeof freezeSchema>;

/** `.rankvault/restored/<cluster>/...json`: a restore changed this cluster's files. */
export const restoredSchema = z.object({
  formatVersion: formatVersionSchema,
  cluster: nameSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
  execution: z.string(),
  startedAt: z.string(),
});
