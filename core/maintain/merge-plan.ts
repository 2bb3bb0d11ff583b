import * as z from 'zod/mini';
import { objectLockSchema } from '../config/schema.ts';
import { RecordMissing } from '../errors.ts';
import { formatVersionSchema } from '../format.ts';
import { nameSchema, type RankName, snapshotDirectorySchema, snapshotIdSchema } from '../ids.ts';
import { assertDigest, readRanks } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotRecord, Tombstone } from '../records.ts';
import { maintainRunSchema } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { ranksKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { type HidingFacts, tombstoneOf } from './tombstones.ts';

/** What a merge was decided to do: the part `merge` of the frozen plan of its execution. */
export const mergePlanSchema = z.object({
  backup: nameSchema,
  /** The newest of the merged. Its manifests are copied; it is held by this execution until its sources are hidden. */
  source: snapshotDirectorySchema,
  /** All that become one, oldest first; `source` is the last. */
  sources: z.array(snapshotDirectorySchema).check(z.minLength(1)),
  /** Directory and id of the new full, claimed by this execution's attempt. */
  snapshot: snapshotDirectorySchema,
  id: snapshotIdSchema,
  /** How long the bytes of the sources stay once they are hidden. */
  undeleteDays: z.int().check(z.nonnegative()),
  objectLock: z.optional(objectLockSchema),
});
export type MergePlan = z.infer<typeof mergePlanSchema>;

/** As much of the frozen plan as the steps of a merge read. */
export const mergingPlanSchema = z.object({
  formatVersion: formatVersionSchema,
  run: maintainRunSchema,
  startedAt: z.string(),
  merge: mergePlanSchema,
});
export type MergingPlan = z.infer<typeof mergingPlanSchema>;

/** @throws RecordMissing */
export async function readMergingPlan(work: ObjectStore, keys: RunKeys): Promise<MergingPlan> {
  const plan = await readJson(work, keys.plan(), mergingPlanSchema);
  if (plan === undefined) {
    throw new RecordMissing(`${keys.plan()} is missing from the work bucket.`, { hint: 'Start the merge again.' });
  }
  return plan.value;
}

/**
 * Writes the ranks of the snapshot that is merged, for the Maps over ranks. The digest chain begins here: the record names the digest
 * of ranks.jsonl.gz, which names that of each manifest.
 * @throws CatalogCorrupt
 */
export async function writeMergeRanks(
  deps: { readonly vault: ObjectStore; readonly work: ObjectStore },
  source: SnapshotRecord,
  key: string,
): Promise<void> {
  await assertDigest(deps.vault, ranksKey(source.backup, source.snapshot), source.ranksSha256);
  const ranks: RankName[] = [];
  for await (const line of readRanks(deps.vault, source.backup, source.snapshot)) {
    ranks.push(line.rank);
  }
  await deps.work.put(key, Buffer.from(JSON.stringify(ranks)));
}

/** Hides one of the sources. */
export function tombstoneOfSource(
  merge: MergePlan,
  source: SnapshotRecord,
  facts: Pick<HidingFacts, 'owner' | 'atEpochMillis'>,
): Tombstone {
  const reason = `Merged into ${merge.snapshot}, which shows the moment of ${merge.source}.`;
  return tombstoneOf(source, { ...facts, action: 'merge', reason, keptForDays: merge.undeleteDays });
}
