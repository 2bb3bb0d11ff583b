import { type ClusterAccess, rootsOf } from '../../adapters/roots/open-cluster.ts';
import type { RootConfig } from '../../core/config/schema.ts';
import { RecordMissing } from '../../core/errors.ts';
import { assertLockHeld } from '../../core/locks.ts';
import { assertHoldStands } from '../../core/quiesce.ts';
import {
  inspectionSchema,
  type Pass,
  type SnapshotPlan,
  type SnapshotRun,
  snapshotPlanSchema,
} from '../../core/run.ts';
import { readJson } from '../../core/stored-json.ts';
import { backupLockKey, RunKeys } from '../../core/work-layout.ts';
import { machineClock } from './clock.ts';
import { s3, work } from './stores.ts';

export const access: ClusterAccess = { client: s3, clock: machineClock };

export interface OpenRun {
  readonly plan: SnapshotPlan;
  readonly keys: RunKeys;
}

/**
 * The frozen plan of a run that still holds its lock. Every step after the plan begins with this.
 * @throws LockLost, RecordMissing
 */
export async function openRun(run: SnapshotRun): Promise<OpenRun> {
  await assertLockHeld(work, backupLockKey(run.backup), run.nonce);
  const keys = new RunKeys('Snapshot', run.execution);
  const plan = await readJson(work, keys.plan(), snapshotPlanSchema);
  if (plan === undefined) {
    throw new RecordMissing(`${keys.plan()} is missing from the work bucket.`, { hint: 'Start the snapshot again.' });
  }
  return { plan: plan.value, keys };
}

/** As `openRun`, for steps that read the source: in the final pass of a quiesced run the hold must stand. */
export async function openPass(
  run: SnapshotRun,
  pass: Pass,
): Promise<OpenRun & { readonly roots: readonly RootConfig[] }> {
  const opened = await openRun(run);
  if (run.quiesce && pass === 'final') {
    await assertHoldStands(work, run.cluster, run.nonce);
  }
  return { ...opened, roots: await rootsOfRun(opened) };
}

async function rootsOfRun({ plan, keys }: OpenRun): Promise<readonly RootConfig[]> {
  const needsDirectory = plan.cluster.source.kind === 'kagent';
  const inspection = needsDirectory ? await readJson(work, keys.inspection(), inspectionSchema) : undefined;
  return rootsOf(plan.run.cluster, plan.cluster, inspection?.value.kagentDirectory);
}
