import type { ClusterConfig } from '../config/schema.ts';
import { ClusterNotReady, KagentSnapshotMissing, RankMissing, RestoreInProgress, UncoveredFiles } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { CLUSTER_RANK } from '../ids.ts';
import type { KagentChoice } from '../kagent.ts';
import { type PollLimits, pollAgain, pollDone } from '../poll.ts';
import type { ClusterControl } from '../ports/cluster-control.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SourceRoots } from '../ports/source-root.ts';
import { type Inspection, inspectionSchema, type Poll, type SnapshotPlan } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { rankNumbers, type Topology } from '../topology.ts';
import type { RunKeys } from '../work-layout.ts';

/** About an hour in all. */
const READY: PollLimits = { firstWaitSeconds: 10, maxWaitSeconds: 60, maxPolls: 65 };

export interface InspectDependencies {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  /** Undefined where the configuration says that there is nobody to ask. */
  readonly control: ClusterControl | undefined;
  /** The cluster's roots; for a KAgent source the roots of one of its directories. */
  readonly openSource: (kagentDirectory: string | undefined) => SourceRoots;
  /** KAgent sources only. */
  readonly chooseKagentDirectory: () => Promise<KagentChoice>;
}

/**
 * Looks at the cluster before anything is copied: is it whole and idle, has no restore begun in it, which ranks has it.
 * Writes the inspection and the list of ranks, or says how long to wait before looking again.
 * @throws RestoreInProgress, ClusterNotReady, KagentSnapshotMissing, RankMissing, UncoveredFiles
 */
export async function inspectCluster(deps: InspectDependencies, plan: SnapshotPlan, poll: Poll): Promise<Poll> {
  const kagent = plan.cluster.source.kind === 'kagent' ? await deps.chooseKagentDirectory() : undefined;
  if (kagent?.outcome === 'none') {
    throw new KagentSnapshotMissing(`${kagent.reason}`, {
      hint: 'Check the path and the cluster name of the source, and that KAgent’s own schedule ran.',
    });
  }
  const notReady = kagent?.outcome === 'wait' ? kagent.reason : await obstacle(deps.control, plan);
  if (notReady !== undefined) {
    return waitOrGiveUp(plan, poll, notReady);
  }
  const directory = kagent?.outcome === 'chosen' ? kagent.directory : undefined;
  const source = deps.openSource(directory);
  await assertNoRestore(source, plan);
  const { topology } = await freeze(deps, await inspect(deps, plan, { source, directory }));
  await deps.work.put(plan.run.ranksKey, Buffer.from(JSON.stringify([...rankNumbers(topology), CLUSTER_RANK])));
  return pollDone(poll);
}

/** The first inspection counts: a late ghost must not move a run that has begun to other ranks or another KAgent directory. */
async function freeze(deps: InspectDependencies, inspection: Inspection): Promise<Inspection> {
  const key = deps.keys.inspection();
  if ((await createJson(deps.work, key, inspection)) === 'created') {
    return inspection;
  }
  const first = await readJson(deps.work, key, inspectionSchema);
  return first?.value ?? inspection;
}

/** Why the cluster cannot be snapshotted right now. A KAgent copy does not depend on what the cluster does now. */
async function obstacle(control: ClusterControl | undefined, plan: SnapshotPlan): Promise<string | undefined> {
  if (control === undefined || plan.cluster.source.kind === 'kagent') {
    return undefined;
  }
  const observation = await control.observe();
  if (!observation.running) {
    return `it says that it is ${observation.statusWord}`;
  }
  return observation.clusterOperationInProgress ? 'ranks are being added or removed, or data is rebalanced' : undefined;
}

function waitOrGiveUp(plan: SnapshotPlan, poll: Poll, reason: string): Poll {
  const next = pollAgain(poll, READY);
  if (next === undefined) {
    throw new ClusterNotReady(`Cluster '${plan.run.cluster}' is not ready: ${reason}.`, {
      hint: 'Nothing was copied. Bring the cluster to rest, then start the snapshot again.',
    });
  }
  return next;
}

async function assertNoRestore(source: SourceRoots, plan: SnapshotPlan): Promise<void> {
  const roots = await source.findRestoreMarkers();
  if (roots.length > 0) {
    throw new RestoreInProgress(
      `A restore into cluster '${plan.run.cluster}' has begun and not finished (roots ${roots.join(', ')}).`,
      {
        hint: 'Run the restore again until it finishes: half a restore is never taken for a snapshot.',
      },
    );
  }
}

async function inspect(
  deps: InspectDependencies,
  plan: SnapshotPlan,
  opened: { readonly source: SourceRoots; readonly directory: string | undefined },
): Promise<Inspection> {
  const asked = deps.control === undefined || plan.cluster.source.kind === 'kagent' ? undefined : deps.control;
  const inRoots = await opened.source.discoverRanks();
  const topology = await topologyOf(plan.cluster, asked, inRoots);
  assertCovered(topology, inRoots);
  assertNoneVanished(topology, plan);
  const version = asked === undefined ? undefined : (await asked.observe()).serverVersion;
  return {
    formatVersion: FORMAT_VERSION,
    topology,
    ...(version === undefined ? {} : { serverVersion: version }),
    ...(opened.directory === undefined ? {} : { kagentDirectory: opened.directory }),
  };
}

/** What the configuration says, else what the cluster says, else what lies in the roots. */
async function topologyOf(
  cluster: ClusterConfig,
  control: ClusterControl | undefined,
  inRoots: readonly number[],
): Promise<Topology> {
  if (cluster.topology !== 'discovered') {
    const { ranks, tomsPerRank } = cluster.topology;
    const toms = tomsPerRank === undefined ? undefined : Array.from({ length: tomsPerRank }, (_, tom) => tom);
    return {
      from: 'config',
      ranks: ranks.map((rank) => (toms === undefined || rank === 0 ? { rank } : { rank, toms })),
    };
  }
  if (control !== undefined) {
    const { ranks } = await control.topology();
    const present = ranks.filter((entry) => entry.removed !== true);
    return {
      from: 'cluster',
      ranks: present.map(({ rank, toms }) => (toms === undefined ? { rank } : { rank, toms: [...toms] })),
    };
  }
  return { from: 'roots', ranks: inRoots.map((rank) => ({ rank })) };
}

/** Where nobody says which ranks there are, the base does: a rank that is gone is more likely lost than removed. */
function assertNoneVanished(topology: Topology, plan: SnapshotPlan): void {
  const known = rankNumbers(topology);
  const vanished = plan.baseRanks.filter((rank) => rank !== CLUSTER_RANK && !known.includes(rank));
  if (topology.from === 'roots' && vanished.length > 0) {
    throw new RankMissing(
      `${plan.base ?? 'The base'} has ranks ${vanished.join(', ')}, of which the roots hold nothing any more.`,
      {
        hint: 'Check the disks and mounts. If the ranks were removed from the cluster, take a full: it accepts what is there.',
      },
    );
  }
}

function assertCovered(topology: Topology, inRoots: readonly number[]): void {
  const known = rankNumbers(topology);
  const missing = known.filter((rank) => !inRoots.includes(rank));
  if (missing.length > 0) {
    throw new RankMissing(
      `The cluster has ranks ${known.join(', ')}, but the roots hold nothing of ${missing.join(', ')}.`,
      {
        hint: 'Check the patterns and mounts of the roots; if the rank was removed, take it out of the topology.',
      },
    );
  }
  const uncovered = inRoots.filter((rank) => !known.includes(rank));
  if (uncovered.length > 0) {
    throw new UncoveredFiles(
      `The roots hold directories of ranks ${uncovered.join(', ')}, which the cluster does not have.`,
      {
        hint: 'Exclude them in the root if they are leftovers, or correct the topology: nothing is left out silently.',
      },
    );
  }
}
