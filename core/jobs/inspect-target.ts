import { TargetNotEmpty, TargetRunning, TopologyMismatch } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { CLUSTER_RANK } from '../ids.ts';
import type { ClusterControl } from '../ports/cluster-control.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RestoreMarker, RestoreTarget } from '../ports/restore-target.ts';
import { type RestorePlan, type TargetState, targetStateSchema } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { compareTopologies, describeTopology, rankNumbers, type Topology } from '../topology.ts';
import type { RunKeys } from '../work-layout.ts';

export interface InspectTargetDependencies {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly target: RestoreTarget;
  readonly control: ClusterControl | undefined;
}

export interface TargetReport {
  readonly stopped: 'proven' | 'declared' | 'not needed';
  readonly resumed: boolean;
  readonly label: string;
}

/**
 * Before anything is written: the target is stopped, has the snapshot's ranks, and holds what the policy allows.
 * @throws TargetRunning, TopologyMismatch, TargetNotEmpty
 */
export async function inspectTarget(deps: InspectTargetDependencies, plan: RestorePlan): Promise<TargetReport> {
  const stopped = await assertStopped(deps.control, plan);
  const { resumed, label } = (await firstState(deps)) ?? (await inspectState(deps, plan));
  return { stopped, resumed, label };
}

/** The first look counts: a late ghost would find our own marker and parts there, and take them for an earlier try's. */
async function firstState(deps: InspectTargetDependencies): Promise<TargetState | undefined> {
  const first = await readJson(deps.work, deps.keys.target(), targetStateSchema);
  return first?.value;
}

async function inspectState(deps: InspectTargetDependencies, plan: RestorePlan): Promise<TargetState> {
  await assertSameTopology(deps.target, plan);
  const state = stateOf(await deps.target.readMarkers(), plan);
  await assertPolicy(deps.target, plan, state);
  const created = await createJson(deps.work, deps.keys.target(), state);
  return (created === 'created' ? undefined : await firstState(deps)) ?? state;
}

/** A KAgent directory is filled beside the running cluster; a root is not. Asked again right before activation. */
export async function assertStopped(
  control: ClusterControl | undefined,
  plan: RestorePlan,
): Promise<TargetReport['stopped']> {
  if (plan.source.kind === 'kagent') {
    return 'not needed';
  }
  const verdict = control === undefined ? 'unknown' : await control.isStopped();
  if (verdict === 'stopped') {
    return 'proven';
  }
  if (verdict === 'running') {
    throw new TargetRunning(`Cluster '${plan.run.cluster}' is running.`, {
      hint: 'Stop it first: a restore never writes under a running server, whatever the options say.',
    });
  }
  if (plan.options.targetIsStopped) {
    return 'declared';
  }
  throw new TargetRunning(`Cluster '${plan.run.cluster}' is not proven to be stopped.`, {
    hint: 'Make sure that no server runs on its roots, then start again with options {"targetIsStopped":true}.',
  });
}

async function assertSameTopology(target: RestoreTarget, plan: RestorePlan): Promise<void> {
  const wanted = rankNumbers(plan.topology);
  const homeless = wanted.filter((rank) => !target.accepts(rank));
  if (homeless.length > 0) {
    throw new TopologyMismatch(
      `No root of cluster '${plan.run.cluster}' takes rank ${homeless.join(', ')} of the snapshot.`,
      {
        hint: 'Add a root for each of these ranks, or restore into a cluster that has them.',
      },
    );
  }
  const present = await targetTopology(target, plan);
  if (present !== undefined && !fits(plan.topology, present)) {
    throw new TopologyMismatch(
      `The snapshot has ${describeTopology(plan.topology)}; cluster '${plan.run.cluster}' has ${describeTopology(present)}.`,
      { hint: 'Files go back rank to rank: restore into a cluster with the same ranks and TOMs.' },
    );
  }
}

/** A rank that no root holds has a home and no files: its disk is lost, and the restore is what brings it back. */
function fits(snapshot: Topology, target: Topology): boolean {
  const difference = compareTopologies(snapshot, target);
  return difference === undefined || (target.from === 'roots' && difference.extra.length === 0);
}

/** Configured, or what lies in the roots; an empty target takes any topology, and so does a half-restored one. */
async function targetTopology(target: RestoreTarget, plan: RestorePlan): Promise<Topology | undefined> {
  if (plan.source.kind === 'kagent') {
    return undefined;
  }
  if (plan.cluster.topology !== 'discovered') {
    const { ranks, tomsPerRank } = plan.cluster.topology;
    const toms = tomsPerRank === undefined ? undefined : Array.from({ length: tomsPerRank }, (_, tom) => tom);
    return {
      from: 'config',
      ranks: ranks.map((rank) => (toms === undefined || rank === 0 ? { rank } : { rank, toms })),
    };
  }
  const inRoots = await target.discoverRanks();
  const markers = await target.readMarkers();
  return inRoots.length === 0 || markers.length > 0
    ? undefined
    : { from: 'roots', ranks: inRoots.map((rank) => ({ rank })) };
}

/**
 * Goes on with an earlier try of the same restore, or begins anew under a label of its own. The label is no name that a person
 * gave: names come back after 90 days, and the old files that somebody kept would be met under them.
 */
function stateOf(markers: readonly { readonly marker: RestoreMarker }[], plan: RestorePlan): TargetState {
  const same = markers.find(
    ({ marker }) =>
      marker.backup === plan.run.backup &&
      marker.snapshot === plan.run.snapshot &&
      // After another policy, files in place may be old ones and files aside the only copy.
      (marker.policy ?? 'rename') === plan.run.policy,
  )?.marker;
  return {
    formatVersion: FORMAT_VERSION,
    resumed: same?.phase === 'placing',
    label: same?.label ?? plan.run.nonce,
  };
}

async function assertPolicy(target: RestoreTarget, plan: RestorePlan, state: TargetState): Promise<void> {
  if (plan.run.policy !== 'none' || state.resumed) {
    return;
  }
  for (const rank of [...rankNumbers(plan.topology), CLUSTER_RANK] as const) {
    for await (const entry of target.listRank(rank, undefined)) {
      if (entry.kind === 'part') {
        throw new TargetNotEmpty(
          `Rank ${rank} of cluster '${plan.run.cluster}' holds ${entry.path}, and policy "none" restores into empty ranks only.`,
          {
            hint: 'Use policy "replace" to overwrite, "rename" to keep the old files aside, or empty the roots yourself.',
          },
        );
      }
    }
  }
}
