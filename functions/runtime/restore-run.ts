import { openTarget, rootsOf } from '../../adapters/roots/open-cluster.ts';
import { RecordMissing } from '../../core/errors.ts';
import { assertLockHeld } from '../../core/locks.ts';
import type { RestoreTarget } from '../../core/ports/restore-target.ts';
import { type RestorePlan, type RestoreRun, restorePlanSchema } from '../../core/run.ts';
import { readJson } from '../../core/stored-json.ts';
import { clusterLockKey, RunKeys } from '../../core/work-layout.ts';
import { access } from './snapshot-run.ts';
import { work } from './stores.ts';

export interface OpenRestore {
  readonly plan: RestorePlan;
  readonly keys: RunKeys;
}

/**
 * The frozen plan of a restore that still holds its target. Every step after the plan begins with this.
 * @throws LockLost, RecordMissing
 */
export async function openRestore(run: RestoreRun): Promise<OpenRestore> {
  await assertLockHeld(work, clusterLockKey(run.cluster), run.nonce);
  const keys = new RunKeys('Restore', run.execution);
  const plan = await readJson(work, keys.plan(), restorePlanSchema);
  if (plan === undefined) {
    throw new RecordMissing(`${keys.plan()} is missing from the work bucket.`, { hint: 'Start the restore again.' });
  }
  return { plan: plan.value, keys };
}

export function targetOf(plan: RestorePlan): RestoreTarget {
  const roots = rootsOf(plan.run.cluster, plan.cluster, plan.source.directory);
  return openTarget(access, roots, { madeByRestore: plan.source.kind === 'kagent' });
}
