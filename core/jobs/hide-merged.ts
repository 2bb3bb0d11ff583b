import pMap from 'p-map';
import { BackupFrozen, RecordMissing } from '../errors.ts';
import { releaseHold } from '../holds.ts';
import type { LockDependencies } from '../locks.ts';
import { type BackupState, readBackupState } from '../maintain/backup-state.ts';
import { hideAndSweep } from '../maintain/hide-and-sweep.ts';
import { underBackupLock } from '../maintain/merge-lock.ts';
import { readRecordOf } from '../maintain/merge-manifest.ts';
import { type MergingPlan, tombstoneOfSource } from '../maintain/merge-plan.ts';
import { readSweepPlan, sweepPlanKey } from '../maintain/plan.ts';
import { assertSure } from '../maintain/sweeps.ts';
import type { WaitAnswer } from '../maintain/under-locks.ts';
import { assertDigest } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { SnapshotRecord } from '../records.ts';
import type { MaintainRun } from '../run.ts';
import { ranksKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { assertNotHidden } from './commit-merged.ts';
import { readRankList } from './plan-copies.ts';
import { mergeVerifiedKey } from './verify-merged-rank.ts';

export interface HideMergedDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly keys: RunKeys;
}

export type HideMergedAnswer = { readonly outcome: 'planned'; readonly run: MaintainRun } | WaitAnswer;

/**
 * Hides the sources of a merge, now that the full made of them is committed and verified, and decides which directories are swept. A
 * source that was pinned meanwhile stays; so does what a snapshot that was taken meanwhile names, because it is kept and refers to it.
 * A second try finds what is frozen.
 * @throws BackupFrozen when somebody froze the backup meanwhile
 * @throws SnapshotNotFound, RecordMissing, CatalogCorrupt when the new full is not what it should be; then nothing is hidden
 */
export async function hideMerged(deps: HideMergedDependencies, plan: MergingPlan): Promise<HideMergedAnswer> {
  return underBackupLock(deps, plan, {
    done: async () => {
      const frozen = await deps.work.head(sweepPlanKey(deps.keys));
      return frozen === undefined ? undefined : planned(plan, (await readSweepPlan(deps.work, deps.keys)).units);
    },
    act: (assertHeld) => hide(deps, plan, assertHeld),
  });
}

function planned({ run }: MergingPlan, units: number): HideMergedAnswer {
  return { outcome: 'planned', run: { ...run, units } };
}

async function hide(
  deps: HideMergedDependencies,
  plan: MergingPlan,
  assertHeld: () => Promise<void>,
): Promise<HideMergedAnswer> {
  const { run, merge } = plan;
  const { backup, source } = merge;
  const state = await readBackupState(deps, backup);
  await assertMayHide(deps, plan, state);
  // The full is there, so our own hold has done its work; left there, it would keep the bytes of what is hidden now.
  await releaseHold(deps.work, { backup, snapshot: source, executionArn: run.executionArn });
  const tombstones = sourcesToHide(plan, state).map((record) =>
    tombstoneOfSource(merge, record, { owner: run, atEpochMillis: state.nowEpochMillis }),
  );
  const sweep = { run, keys: deps.keys, states: [state], tombstones, collect: false, assertHeld };
  return planned(plan, await hideAndSweep(deps, sweep));
}

/** Everything that hiding the sources relies on, looked at again under the lock. */
async function assertMayHide(deps: HideMergedDependencies, plan: MergingPlan, state: BackupState): Promise<void> {
  const { backup, snapshot } = plan.merge;
  await assertNotHidden(deps.vault, backup, snapshot);
  const record = await readRecordOf(deps.vault, backup, snapshot);
  await assertDigest(deps.vault, ranksKey(backup, snapshot), record.ranksSha256);
  await assertVerified(deps, plan);
  if (state.freeze !== undefined) {
    throw new BackupFrozen(`Backup '${backup}' was frozen by execution ${state.freeze.execution} during this merge.`, {
      hint: `${snapshot} is committed and its sources stay. When the backup is thawed, purge the sources, or purge ${snapshot}.`,
    });
  }
  assertSure([state]);
}

async function assertVerified(deps: HideMergedDependencies, { run, merge }: MergingPlan): Promise<void> {
  const ranks = await readRankList(deps.work, run.ranksKey);
  const heads = await pMap(ranks, (rank) => deps.work.head(mergeVerifiedKey(deps.keys, rank)), { concurrency: 16 });
  const missing = heads.indexOf(undefined);
  if (missing >= 0) {
    throw new RecordMissing(`Rank ${ranks[missing]} of the merged ${merge.snapshot} is not verified.`, {
      hint: 'Nothing was hidden. Verify the snapshot, and purge its sources if it is sound.',
    });
  }
}

function sourcesToHide({ merge }: MergingPlan, state: BackupState): readonly SnapshotRecord[] {
  const pinned = new Set(state.pins.map(({ snapshot }) => snapshot));
  return state.visible.filter(({ snapshot }) => merge.sources.includes(snapshot) && !pinned.has(snapshot));
}
