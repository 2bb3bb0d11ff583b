import * as z from 'zod/mini';
import { checksumSchema } from '../checksum.ts';
import { RecordMissing } from '../errors.ts';
import { formatVersionSchema } from '../format.ts';
import { rankNameSchema, snapshotDirectorySchema } from '../ids.ts';
import { assertLockHeld } from '../locks.ts';
import { readPlainLines } from '../maintain/plain-lines.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type VerifyRun, verifyRunSchema } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { amountSchema } from '../verification.ts';
import { RunKeys, verifyLockKey } from '../work-layout.ts';
import { purseSchema } from './budget.ts';
import { manifestRulesSchema } from './manifest-tally.ts';
import { sightedSchema, sightingSchema } from './sightings.ts';

/** What a snapshot in the scope promises and keeps to. */
const plannedSnapshotSchema = z.object({
  ...manifestRulesSchema.shape,
  base: z.optional(snapshotDirectorySchema),
  parts: z.int(),
  /** With Object Lock: until when it promises that nothing of it can be deleted, ISO 8601. */
  promisedUntil: z.optional(z.string()),
});
export type PlannedSnapshot = z.infer<typeof plannedSnapshotSchema>;

/** `plan.json`: frozen by PlanVerification. */
export const verifyPlanSchema = z.object({
  formatVersion: formatVersionSchema,
  run: verifyRunSchema,
  /** Of the verification. */
  id: z.string(),
  /** `latest`, `all`, `budget`, or a snapshot, as it was asked for. */
  scope: z.string(),
  startedAt: z.string(),
  plannedAt: z.string(),
  /** Each is held against deletion. */
  snapshots: z.array(plannedSnapshotSchema),
  /** True: a unit looks at everything that its snapshot names, not only at its own part of the whole. */
  whole: z.boolean(),
  /** By directory: the latest promise of the visible snapshots that name bytes of it. */
  promises: z.record(z.string(), z.string()),
  /** What is wrong with records and lists of ranks. */
  sightings: z.array(sightingSchema),
  /** Snapshots whose records have vanished. */
  gone: z.array(snapshotDirectorySchema),
});
export type VerifyPlan = z.infer<typeof verifyPlanSchema>;

/** An item of the Map that looks at ranks. */
export const unitItemSchema = z.object({
  unit: z.object({
    snapshot: snapshotDirectorySchema,
    rank: rankNameSchema,
    ins: z.array(z.string()),
    after: z.optional(z.string()),
    /** How far a `read` goes. @default - to the end */
    purse: z.optional(purseSchema),
  }),
});
export type UnitItem = z.infer<typeof unitItemSchema>;

/** `look/done/<unit>.json`, write-once: what was looked at, and where it is written down. */
export const unitAnswerSchema = z.object({
  formatVersion: formatVersionSchema,
  unit: unitItemSchema.shape.unit,
  /** The last path that was taken. */
  through: z.optional(z.string()),
  /** It got to the end, and nothing was wrong with the manifest itself. */
  complete: z.boolean(),
  looked: amountSchema,
  tooLarge: z.int(),
  sighted: sightedSchema,
  /** Of a `read`: batches by the invocation that wrote them. */
  pieces: z.array(z.object({ id: z.string(), batches: z.int() })),
});
export type UnitAnswer = z.infer<typeof unitAnswerSchema>;

/** An item of the Map that reads parts. */
export const readItemSchema = z.object({
  batch: z.string(),
  snapshot: snapshotDirectorySchema,
  rank: rankNameSchema,
  key: z.string(),
});
export type ReadItem = z.infer<typeof readItemSchema>;

/** A line of such a batch: a version whose bytes are read. */
export const readLineSchema = z.object({
  path: z.string(),
  key: z.string(),
  versionId: z.string(),
  sizeBytes: z.int(),
  checksum: checksumSchema,
  in: z.string(),
});
export type ReadLine = z.infer<typeof readLineSchema>;

/** What a window of a batch found, or a whole batch; write-once. */
export const readWindowSchema = z.object({
  formatVersion: formatVersionSchema,
  ...amountSchema.shape,
  sightings: z.array(sightingSchema),
});
export type ReadWindow = z.infer<typeof readWindowSchema>;

/** Names of the Maps in the keys of the run. */
export const LOOK = 'look';
export const READ = 'read';
/** Whole batches of a `read`. */
export const READ_BATCH = 'read-batch';
export const SIGHTED = 'sighted';

/**
 * The frozen plan of a verification that still has its turn. Every step between the plan and the conclusion begins with this.
 * @throws LockLost, RecordMissing
 */
export async function openVerification(work: ObjectStore, run: VerifyRun): Promise<VerifyPlan> {
  await assertLockHeld(work, verifyLockKey(run.backup), run.nonce);
  return readVerifyPlan(work, run);
}

/** @throws RecordMissing */
export async function readVerifyPlan(work: ObjectStore, run: VerifyRun): Promise<VerifyPlan> {
  const key = new RunKeys('Verify', run.execution).plan();
  const plan = await readJson(work, key, verifyPlanSchema);
  if (plan === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the verification again.' });
  }
  return plan.value;
}

/** The units of the run, as they were planned. @throws RecordMissing */
export async function readUnits(work: ObjectStore, run: VerifyRun): Promise<readonly UnitItem['unit'][]> {
  const units: UnitItem['unit'][] = [];
  for await (const { unit } of readPlainLines(work, run.unitsKey, unitItemSchema)) {
    units.push(unit);
  }
  return units;
}
