import { type Catalog, readCatalog } from '../catalog.ts';
import { claimDirectory } from '../claims.ts';
import type { BackupConfig, BackupOptions, ClusterConfig, RankvaultConfig, SnapshotType } from '../config/schema.ts';
import { definitionOf, digestOf } from '../definition.ts';
import { InputInvalid } from '../errors.ts';
import { type ExecutionStart, parseInput, type SnapshotInput, snapshotInputSchema } from '../execution-input.ts';
import { FORMAT_VERSION } from '../format.ts';
import { newestOf } from '../kagent.ts';
import type { LockDependencies, LockOwner } from '../locks.ts';
import { assertOwnPlan, ownerOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotRecord } from '../records.ts';
import { FIRST_POLL, type Poll, type SnapshotPlan, type SnapshotRun, snapshotPlanSchema } from '../run.ts';
import { type FunctionsBySite, functionsOfSite } from '../site-functions.ts';
import { createJson, readJson } from '../stored-json.ts';
import { RunKeys } from '../work-layout.ts';
import { planBase } from './plan-base.ts';
import { giveTurnBack, takeTurn } from './snapshot-turn.ts';

export interface PlanSnapshotDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly config: RankvaultConfig;
  readonly siteFunctions: FunctionsBySite;
}

export type SnapshotAnswer =
  | { readonly outcome: 'planned'; readonly run: SnapshotRun; readonly poll: Poll }
  | { readonly outcome: 'wait'; readonly waitSeconds: number }
  /** Another execution has taken this very run of the schedule: Scheduler delivers at least once. */
  | { readonly outcome: 'finished'; readonly result: 'Duplicate'; readonly snapshot: string };

const EXAMPLE = '{"backup":"prod_system","type":"incremental"}';

/**
 * Validates the input, freezes the configuration, takes the locks, chooses type and base, claims a directory. Each step finds
 * what an earlier try of the same execution left, so that a retry ends in the same plan.
 * @throws InputInvalid, BackupInProgress, ClusterBusy
 */
export async function planSnapshot(deps: PlanSnapshotDependencies, start: ExecutionStart): Promise<SnapshotAnswer> {
  const keys = new RunKeys('Snapshot', start.execution);
  const owner = ownerOf(start);
  const planned = await readJson(deps.work, keys.plan(), snapshotPlanSchema);
  if (planned !== undefined) {
    assertOwnPlan(planned.value.run, owner);
    return { outcome: 'planned', run: planned.value.run, poll: FIRST_POLL };
  }
  const input = parseInput(snapshotInputSchema, start.input, 'Snapshot', EXAMPLE);
  const { backup, cluster } = lookUp(deps.config, input);
  const turn = await takeTurn(deps, input, { owner, clusterName: backup.cluster });
  if (turn.outcome === 'wait') {
    return turn;
  }
  const catalog = await readCatalog(deps.vault, input.backup);
  const done = duplicateOf(catalog.snapshots, input);
  if (done !== undefined) {
    await giveTurnBack(deps.work, input.backup, { clusterName: backup.cluster, owner });
    return { outcome: 'finished', result: 'Duplicate', snapshot: done.snapshot };
  }
  const plan = await draftPlan(deps, { start, input, backup, cluster, owner, keys, catalog });
  const created = await createJson(deps.work, keys.plan(), plan);
  // A ghost of this step may have been faster, with another directory: what is frozen counts.
  const frozen = created === 'created' ? undefined : await readJson(deps.work, keys.plan(), snapshotPlanSchema);
  return { outcome: 'planned', run: frozen?.value.run ?? plan.run, poll: FIRST_POLL };
}

function lookUp(config: RankvaultConfig, input: SnapshotInput): { backup: BackupConfig; cluster: ClusterConfig } {
  const backup = config.backups[input.backup];
  const cluster = backup === undefined ? undefined : config.clusters[backup.cluster];
  if (backup === undefined || cluster === undefined) {
    throw new InputInvalid(`There is no backup '${input.backup}'.`, {
      hint: `Known backups: ${Object.keys(config.backups).sort().join(', ') || 'none'}; they are defined in rankvault.config.ts.`,
    });
  }
  return { backup: { ...backup, options: withOverrides(backup.options, input.options) }, cluster };
}

/** A run of a schedule is known by its schedule and time, whoever took it. */
function duplicateOf(snapshots: readonly SnapshotRecord[], input: SnapshotInput): SnapshotRecord | undefined {
  const { schedule, scheduledTime } = input;
  return schedule === undefined || scheduledTime === undefined
    ? undefined
    : snapshots.find((record) => record.schedule === schedule && record.scheduledTime === scheduledTime);
}

interface Planning {
  readonly start: ExecutionStart;
  readonly input: SnapshotInput;
  readonly backup: BackupConfig;
  readonly cluster: ClusterConfig;
  readonly owner: LockOwner;
  readonly keys: RunKeys;
  readonly catalog: Catalog;
}

async function draftPlan(deps: PlanSnapshotDependencies, planning: Planning): Promise<SnapshotPlan> {
  const { input, backup, cluster, start, owner } = planning;
  const { objectLock } = deps.config.vault;
  const definitionDigest = digestOf(definitionOf(backup.cluster, cluster));
  const { choice, ranks } = await planBase(deps, {
    backup: input.backup,
    cluster: backup.cluster,
    requested: input.type,
    catalog: planning.catalog,
    definitionDigest,
    objectLock,
  });
  const base = choice.type === 'full' ? undefined : choice.base;
  const attempt = await claimDirectory(deps, {
    backup: input.backup,
    owner,
    type: choice.type,
    ...(base === undefined ? {} : { base: base.snapshot }),
  });
  return {
    formatVersion: FORMAT_VERSION,
    run: runOf(deps, planning, { snapshot: attempt.snapshot, type: choice.type }),
    id: attempt.id,
    requestedType: input.type,
    reason: choice.reason,
    ...(base === undefined ? {} : { base: base.snapshot }),
    ...(base?.lock === undefined ? {} : { baseLockedUntil: base.lock.chainUntil }),
    allowedIn: base === undefined ? [] : choice.type === 'differential' ? [base.snapshot] : base.chain,
    baseRanks: [...ranks],
    full: base?.full ?? attempt.snapshot,
    startedAt: start.startedAt,
    ...(input.schedule === undefined ? {} : { schedule: input.schedule }),
    ...(input.scheduledTime === undefined ? {} : { scheduledTime: input.scheduledTime }),
    definitionDigest,
    ...newestKagentDirectory(planning.catalog.snapshots),
    ...(objectLock === undefined ? {} : { objectLock }),
    cluster,
    backup,
  };
}

function newestKagentDirectory(snapshots: readonly SnapshotRecord[]): { readonly newestKagentDirectory?: string } {
  const newest = newestOf(snapshots.flatMap((record) => record.source.directory ?? []));
  return newest === undefined ? {} : { newestKagentDirectory: newest };
}

function runOf(
  deps: PlanSnapshotDependencies,
  planning: Planning,
  attempt: { readonly snapshot: string; readonly type: SnapshotType },
): SnapshotRun {
  const { input, backup, cluster, owner, keys } = planning;
  const quiesce = cluster.control.kind === 'kinetica' && cluster.source.kind === 'files';
  return {
    machine: 'Snapshot',
    ...owner,
    prefix: keys.prefix,
    backup: input.backup,
    cluster: backup.cluster,
    snapshot: attempt.snapshot,
    type: attempt.type,
    quiesce,
    // A warm pass shortens the quiesce; without one there is nothing to shorten.
    warmPass: quiesce && backup.options.warmPass,
    ranksKey: keys.ranks(),
    warmBatchesKey: keys.batchList('warm'),
    batchesKey: keys.batchList('final'),
    rankConcurrency: backup.options.rankConcurrency,
    copyConcurrency: backup.options.copyConcurrency,
    resultsPrefix: keys.results(''),
    functions: functionsOfSite(deps.siteFunctions, cluster),
  };
}

function withOverrides(options: BackupOptions, overrides: SnapshotInput['options']): BackupOptions {
  return {
    maxQuiesceMinutes: overrides?.maxQuiesceMinutes ?? options.maxQuiesceMinutes,
    warmPass: overrides?.warmPass ?? options.warmPass,
    copyConcurrency: overrides?.copyConcurrency ?? options.copyConcurrency,
    rankConcurrency: overrides?.rankConcurrency ?? options.rankConcurrency,
  };
}
