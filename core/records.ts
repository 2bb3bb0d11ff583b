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
});
export type SnapshotRecord = z.infer<typeof snapshotRecordSchema>;

/** A line of `ranks.jsonl.gz` after its header. */
export const rankLineSchema = z.object({
  rank: rankNameSchema,
  sha256: z.string(),
  sizeBytes: count,
  totals: totalsSchema,
  /** Snapshots that this rank's manifest names. */
  in: z.array(snapshotDirectorySchema),
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

/** `.rankvault/restored/<cluster>/...json`: a restore changed this cluster's files. */
export const restoredSchema = z.object({
  formatVersion: formatVersionSchema,
  cluster: nameSchema,
  backup: nameSchema,
  snapshot: snapshotDirectorySchema,
  execution: z.string(),
  startedAt: z.string(),
});
