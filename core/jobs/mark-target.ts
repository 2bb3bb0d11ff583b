import { FORMAT_VERSION } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import type { RestorePlan } from '../run.ts';
import type { RunKeys } from '../work-layout.ts';
import { readTargetState } from './compare-rank.ts';

export type MarkPhase = 'moving' | 'placing' | 'done';

/**
 * The marker is the first write into the target and its removal the last: in between, `Snapshot` refuses the root and another
 * try of the same restore knows where it is.
 */
export async function markTarget(
  deps: { readonly work: ObjectStore; readonly keys: RunKeys; readonly target: RestoreTarget },
  plan: RestorePlan,
  phase: MarkPhase,
): Promise<void> {
  const { label, resumed } = await readTargetState(deps.work, deps.keys);
  if (phase === 'done') {
    // What `rename` moved aside is kept for the operator; what `replace` moved aside has been replaced.
    if (plan.run.policy !== 'rename') {
      await deps.target.removeAside(label);
    }
    await deps.target.removeMarkers(plan.run.execution);
    return;
  }
  await deps.target.writeMarkers({
    formatVersion: FORMAT_VERSION,
    execution: plan.run.execution,
    backup: plan.run.backup,
    snapshot: plan.run.snapshot,
    startedAt: plan.startedAt,
    phase: resumed ? 'placing' : phase,
    policy: plan.run.policy,
    label,
  });
}
