import * as z from 'zod/mini';
import { RecordMissing } from '../errors.ts';
import { maintainInputSchema } from '../execution-input.ts';
import { formatVersionSchema } from '../format.ts';
import { snapshotDirectorySchema } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { maintainRunSchema } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { amountSchema } from '../verification.ts';
import type { RunKeys } from '../work-layout.ts';
import { mergePlanSchema } from './merge-plan.ts';
import { mergeWorkSchema } from './merge-work.ts';
import { hiddenEntrySchema, keptEntrySchema } from './report.ts';

/** `plan.json`, write-once, the last write of PlanMaintenance. */
export const maintainPlanSchema = z.object({
  formatVersion: formatVersionSchema,
  run: maintainRunSchema,
  startedAt: z.string(),
  input: maintainInputSchema,
  /** Of `merge`. */
  merge: z.optional(mergePlanSchema),
  /** Of `merge`: what the new full holds. */
  merged: z.optional(z.object({ snapshot: snapshotDirectorySchema, ...amountSchema.shape })),
  /** Of `merge`: what it takes. */
  mergeWork: z.optional(mergeWorkSchema),
  /** Of `expire`: what stays, and why. */
  kept: z.optional(z.array(keptEntrySchema)),
  /** What the operator should know, one sentence each. */
  notes: z.array(z.string()),
});
export type MaintainPlan = z.infer<typeof maintainPlanSchema>;

/** A directory that is swept. */
export const sweptDirectorySchema = z.object({
  backup: z.string(),
  directory: snapshotDirectorySchema,
  /** Hidden, past its window and not held; false: beside a live one only strangers are looked for. */
  dead: z.boolean(),
  lockedUntil: z.optional(z.string()),
  /** Decisive for what stays, over all ranks. */
  referrers: z.array(snapshotDirectorySchema),
});
export type SweptDirectory = z.infer<typeof sweptDirectorySchema>;

/** What becomes free when the windows of what this run hides are over. */
const foreseenSchema = z.object({
  /** When the last of these windows ends, ISO 8601. */
  at: z.string(),
  /** Lists of snapshots that could not be read, so that nobody knows what they name. */
  unread: z.int().check(z.nonnegative()),
  /** Those that this run hides. Referrers are those that are left then. */
  directories: z.array(sweptDirectorySchema),
});
export type ForeseenPlan = z.infer<typeof foreseenSchema>;

/** What is freed, decided under the lock; write-once. A merge decides it when its full is verified, all others with the plan. */
export const sweepPlanSchema = z.object({
  formatVersion: formatVersionSchema,
  units: z.int().check(z.nonnegative()),
  /** By this run, all of them. */
  hidden: z.array(hiddenEntrySchema),
  orphans: z.int().check(z.nonnegative()),
  /** What earlier runs hid and may still be undeleted: all that it stored, and the earliest date at which some of it goes. */
  hiddenBefore: z.optional(z.object({ ...amountSchema.shape, at: z.string() })),
  /** What this run hides and keeps for its window. */
  foreseen: z.optional(foreseenSchema),
  directories: z.array(sweptDirectorySchema),
  /** Keys of holds whose executions are over. */
  staleHolds: z.array(z.string()),
  /** Of `collect`: uploads that were begun before `before` are aborted, but none under these prefixes, where one still works. */
  uploads: z.optional(z.object({ prefix: z.string(), before: z.string(), spared: z.array(z.string()) })),
});
export type SweepPlan = z.infer<typeof sweepPlanSchema>;

export const sweepPlanKey = (keys: RunKeys): string => keys.unit('sweep', 'plan');

/** @throws RecordMissing */
export async function readMaintainPlan(work: ObjectStore, keys: RunKeys): Promise<MaintainPlan> {
  return required(await readJson(work, keys.plan(), maintainPlanSchema), keys.plan());
}

/** @throws RecordMissing */
export async function readSweepPlan(work: ObjectStore, keys: RunKeys): Promise<SweepPlan> {
  return required(await readJson(work, sweepPlanKey(keys), sweepPlanSchema), sweepPlanKey(keys));
}

function required<T>(stored: { readonly value: T } | undefined, key: string): T {
  if (stored === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, {
      hint: 'Start the maintenance again: what it has hidden stays hidden, and what it has not deleted is deleted then.',
    });
  }
  return stored.value;
}
