import { SnapshotNotFound, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { LockDependencies } from '../locks.ts';
import { underBackupLock } from '../maintain/merge-lock.ts';
import { readRecordOf } from '../maintain/merge-manifest.ts';
import type { MergingPlan } from '../maintain/merge-plan.ts';
import type { WaitAnswer } from '../maintain/under-locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { recordLockOf } from '../record-lock.ts';
import { type SnapshotRecord, snapshotRecordSchema, tombstoneSchema } from '../records.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { recordKey, tombstoneKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { readSeals, totalsOf, writeRanks } from './sealed-ranks.ts';

export interface CommitMergedDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly keys: RunKeys;
}

export type CommitMergedAnswer =
  | { readonly outcome: 'committed'; readonly snapshot: string; readonly parts: number; readonly bytes: number }
  | WaitAnswer;

/**
 * Makes the merged full visible, beside its sources: both show the same moment until the sources are hidden. The record is the last
 * write. A second try finds the record of the same execution and answers it.
 * @throws SnapshotNotFound when the source, or the new full's directory, was hidden by somebody meanwhile
 * @throws RecordMissing, VaultKeyTaken
 */
export async function commitMerged(deps: CommitMergedDependencies, plan: MergingPlan): Promise<CommitMergedAnswer> {
  return underBackupLock(deps, plan, {
    done: async () => {
      const present = await findOwnRecord(deps.vault, plan);
      return present === undefined ? undefined : committed(present);
    },
    act: (assertHeld) => commit(deps, plan, assertHeld),
  });
}

async function commit(
  deps: CommitMergedDependencies,
  plan: MergingPlan,
  assertHeld: () => Promise<void>,
): Promise<CommitMergedAnswer> {
  const { backup, source, snapshot } = plan.merge;
  // Whoever hid the source wants it gone, and a full of the same moment is no less.
  await assertNotHidden(deps.vault, backup, source);
  // Whoever hid the new directory took this execution for dead: what is committed there would never be seen.
  await assertNotHidden(deps.vault, backup, snapshot);
  const record = await recordOf(deps, plan);
  await assertHeld();
  const outcome = await createJson(deps.vault, recordKey(backup, snapshot), record);
  const raced = outcome === 'exists' ? await findOwnRecord(deps.vault, plan) : undefined;
  return committed(raced ?? record);
}

function committed({ snapshot, totals }: SnapshotRecord): CommitMergedAnswer {
  return { outcome: 'committed', snapshot, parts: totals.parts, bytes: totals.bytes };
}

/** @throws VaultKeyTaken when the record is another execution's */
async function findOwnRecord(vault: ObjectStore, { merge, run }: MergingPlan): Promise<SnapshotRecord | undefined> {
  const key = recordKey(merge.backup, merge.snapshot);
  const stored = await readJson(vault, key, snapshotRecordSchema);
  if (stored !== undefined && stored.value.executionArn !== run.executionArn) {
    throw new VaultKeyTaken(`${key} belongs to execution ${stored.value.execution}.`, {
      hint: 'Nothing was committed by this execution; start it again, it takes a directory of its own.',
    });
  }
  return stored?.value;
}

/** @throws SnapshotNotFound saying who hid it */
export async function assertNotHidden(vault: ObjectStore, backup: string, snapshot: string): Promise<void> {
  const tombstone = await readJson(vault, tombstoneKey(backup, snapshot), tombstoneSchema);
  if (tombstone !== undefined) {
    const { action, execution, at } = tombstone.value;
    throw new SnapshotNotFound(
      `${backup}/${snapshot} was hidden by '${action}' of execution ${execution} at ${at}, during this merge.`,
      { hint: 'Nothing was hidden by the merge; what it copied goes with the next collect. Merge again if wanted.' },
    );
  }
}

async function recordOf(deps: CommitMergedDependencies, plan: MergingPlan): Promise<SnapshotRecord> {
  const { merge, run } = plan;
  const { backup, snapshot } = merge;
  const source = await readRecordOf(deps.vault, backup, merge.source);
  const seals = await readSeals(deps, run.ranksKey, snapshot);
  const ranksSha256 = await writeRanks(deps.vault, merge, seals);
  const { takenAt, serverVersion } = source;
  const { startedAt } = plan;
  const committedAt = isoOfEpochMillis(deps.clock.nowEpochMillis());
  const { objectLock } = merge;
  const lock = objectLock === undefined ? {} : { lock: recordLockOf({ objectLock, startedAt, takenAt, committedAt }) };
  return {
    formatVersion: FORMAT_VERSION,
    backup,
    cluster: source.cluster,
    snapshot,
    id: merge.id,
    type: 'full',
    requestedType: 'full',
    reason: `Merged from ${merge.sources[0] ?? merge.source} up to ${merge.source}.`,
    full: snapshot,
    chain: [snapshot],
    takenAt,
    startedAt,
    committedAt,
    execution: run.execution,
    executionArn: run.executionArn,
    source: source.source,
    definition: source.definition,
    ...(serverVersion === undefined ? {} : { serverVersion }),
    topology: source.topology,
    totals: totalsOf(seals),
    ranksSha256,
    ...lock,
    mergedFrom: merge.sources,
  };
}
