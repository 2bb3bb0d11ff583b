import { type MergingPlan, readMergingPlan } from '../../core/maintain/merge-plan.ts';
import type { MaintainRun } from '../../core/run.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { work } from './stores.ts';

/**
 * Keys of a run of Maintain. Its steps check no lock: what was decided under the lock is frozen in the plan, and safe without it.
 */
export function keysOf(run: MaintainRun): RunKeys {
  return new RunKeys('Maintain', run.execution);
}

/** The frozen plan of a merge. @throws RecordMissing */
export async function openMerge(run: MaintainRun): Promise<{ readonly plan: MergingPlan; readonly keys: RunKeys }> {
  const keys = keysOf(run);
  return { plan: await readMergingPlan(work, keys), keys };
}
