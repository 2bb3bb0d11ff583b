import { findNewestRestore, newestDirectory, readSnapshots } from '../catalog.ts';
import { type BaseChoice, chooseBase } from '../choose-base.ts';
import type { BackupConfig, BackupOptions, ClusterConfig, RankvaultConfig, SnapshotType } from '../config/schema.ts';
import { definitionOf, digestOf } from '../definition.ts';
import { BackupInProgress, ClusterBusy, InputInvalid } from '../errors.ts';
import { type ExecutionStart, parseInput, type SnapshotInput, snapshotInputSchema } from '../execution-input.ts';
import { FORMAT_VERSION, jsonBytes } from '../format.ts';
import { directoryOfId, nextSnapshotId, type RankName } from '../ids.ts';
import { newestOf } from '../kagent.ts';
import { acquireLock, type Lock, type LockDependencies, type LockOwner, releaseLock } from '../locks.ts';
import { assertDigest, readRanks } from '../manifest-io.ts';
import { assertOwnPlan, ownerOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readQuiesce } from '../quiesce.ts';
import { type Attempt, attemptSchema, type SnapshotRecord } from '../records.ts';
import { FIRST_POLL, type Poll, type SnapshotPlan, type SnapshotRun, snapshotPlanSchema } from '../run.ts';
import { type FunctionsBySite, functionsOfSite } from '../site-functions.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { attemptKey, ranksKey } from '../vault-layout.ts';
import { backupLockKey, clusterLockKey, RunKeys } from '../work-layout.ts';

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

/** How often a scheduled run looks whether its turn has come. */
const TURN_WAIT_SECONDS = 60;

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
  if (turn === 'wait') {
    return { outcome: 'wait', waitSeconds: TURN_WAIT_SECONDS };
  }
  const snapshots = await readSnapshots(deps.vault, input.backup);
  const done = duplicateOf(snapshots, input);
  if (done !== undefined) {
    await giveBack(deps.work, input.backup, { clusterName: backup.cluster, owner });
    return { outcome: 'finished', result: 'Duplicate', snapshot: done.snapshot };
  }
  const plan = await choose(deps, { start, input, backup, cluster, owner, keys, snapshots });
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

/** A scheduled run waits its turn; a person is told at once. */
async function takeTurn(
  deps: PlanSnapshotDependencies,
  input: SnapshotInput,
  who: { readonly owner: LockOwner; readonly clusterName: string },
): Promise<'ours' | 'wait'> {
  const backupLock = await acquireLock(deps, backupLockKey(input.backup), who.owner);
  if (backupLock.outcome === 'held') {
    return waitOrThrow(
      input,
      new BackupInProgress(`Backup '${input.backup}' ${heldBy(backupLock.by)}.`, { hint: WAIT_HINT }),
    );
  }
  const clusterLock = await acquireLock(deps, clusterLockKey(who.clusterName), who.owner);
  if (clusterLock.outcome === 'held') {
    return waitOrThrow(
      input,
      new ClusterBusy(`Cluster '${who.clusterName}' ${heldBy(clusterLock.by)}.`, { hint: WAIT_HINT }),
    );
  }
  const hold = await readQuiesce(deps.work, who.clusterName);
  if (hold !== undefined && hold.value.nonce !== who.owner.nonce && hold.value.releasedAt === undefined) {
    const { execution } = hold.value;
    const problem = `Cluster '${who.clusterName}' may still be held in backup mode by execution ${execution}.`;
    return waitOrThrow(input, new ClusterBusy(problem, { hint: RELEASE_HINT }));
  }
  return 'ours';
}

/** A run of a schedule is known by its schedule and time, whoever took it. */
function duplicateOf(snapshots: readonly SnapshotRecord[], input: SnapshotInput): SnapshotRecord | undefined {
  const { schedule, scheduledTime } = input;
  return schedule === undefined || scheduledTime === undefined
    ? undefined
    : snapshots.find((record) => record.schedule === schedule && record.scheduledTime === scheduledTime);
}

async function giveBack(
  work: ObjectStore,
  backup: string,
  who: { readonly owner: LockOwner; readonly clusterName: string },
): Promise<void> {
  await releaseLock(work, backupLockKey(backup), who.owner.nonce);
  await releaseLock(work, clusterLockKey(who.clusterName), who.owner.nonce);
}

const RELEASE_HINT =
  'Its Release runs until the cluster is seen in normal mode: look at it in the Step Functions console.';

const WAIT_HINT =
  'Wait until it has ended, or stop it in the Step Functions console; its lock is free 16 minutes after it stopped.';

function heldBy(lock: Lock): string {
  return `is held by execution ${lock.execution} since ${lock.acquiredAt}`;
}

function waitOrThrow(input: SnapshotInput, error: Error): 'wait' {
  if (input.schedule === undefined) {
    throw error;
  }
  return 'wait';
}

interface Choosing {
  readonly start: ExecutionStart;
  readonly input: SnapshotInput;
  readonly backup: BackupConfig;
  readonly cluster: ClusterConfig;
  readonly owner: LockOwner;
  readonly keys: RunKeys;
  readonly snapshots: readonly SnapshotRecord[];
}

async function choose(deps: PlanSnapshotDependencies, choosing: Choosing): Promise<SnapshotPlan> {
  const { input, backup, cluster, start, snapshots } = choosing;
  const definitionDigest = digestOf(definitionOf(backup.cluster, cluster));
  const choice = chooseBase({
    requested: input.type,
    snapshots,
    definitionDigest,
    restoredAt: await findNewestRestore(deps.vault, backup.cluster),
  });
  const attempt = await claimDirectory(deps, choosing, choice);
  const base = choice.type === 'full' ? undefined : choice.base;
  if (base !== undefined) {
    await assertDigest(deps.vault, ranksKey(input.backup, base.snapshot), base.ranksSha256);
  }
  return {
    formatVersion: FORMAT_VERSION,
    run: runOf(deps, choosing, { snapshot: attempt.snapshot, type: choice.type }),
    id: attempt.id,
    requestedType: input.type,
    reason: choice.reason,
    ...(base === undefined ? {} : { base: base.snapshot }),
    allowedIn: base === undefined ? [] : choice.type === 'differential' ? [base.snapshot] : base.chain,
    baseRanks: base === undefined ? [] : await rankNames(deps.vault, input.backup, base.snapshot),
    full: base?.full ?? attempt.snapshot,
    startedAt: start.startedAt,
    ...(input.schedule === undefined ? {} : { schedule: input.schedule }),
    ...(input.scheduledTime === undefined ? {} : { scheduledTime: input.scheduledTime }),
    definitionDigest,
    ...newestKagentDirectory(snapshots),
    ...(deps.config.vault.objectLock === undefined ? {} : { objectLock: deps.config.vault.objectLock }),
    cluster,
    backup,
  };
}

function newestKagentDirectory(snapshots: readonly SnapshotRecord[]): { readonly newestKagentDirectory?: string } {
  const newest = newestOf(snapshots.flatMap((record) => record.source.directory ?? []));
  return newest === undefined ? {} : { newestKagentDirectory: newest };
}

async function rankNames(vault: ObjectStore, backup: string, snapshot: string): Promise<RankName[]> {
  const names: RankName[] = [];
  for await (const line of readRanks(vault, backup, snapshot)) {
    names.push(line.rank);
  }
  return names;
}

/** A directory belongs to one execution for ever: claimed by creating its attempt, adopted when the newest claim is our own. */
async function claimDirectory(
  deps: PlanSnapshotDependencies,
  choosing: Choosing,
  choice: BaseChoice,
): Promise<Attempt> {
  const { input, owner } = choosing;
  const newest = await newestDirectory(deps.vault, input.backup);
  const present =
    newest === undefined ? undefined : await readJson(deps.vault, attemptKey(input.backup, newest), attemptSchema);
  if (present?.value.nonce === owner.nonce) {
    return present.value;
  }
  const id = nextSnapshotId(deps.clock.nowEpochMillis(), newest);
  const attempt: Attempt = {
    formatVersion: FORMAT_VERSION,
    backup: input.backup,
    snapshot: directoryOfId(id),
    id,
    ...owner,
    type: choice.type,
    ...(choice.type === 'full' ? {} : { base: choice.base.snapshot }),
    claimedAt: isoOfEpochMillis(deps.clock.nowEpochMillis()),
  };
  const outcome = await deps.vault.create(attemptKey(input.backup, attempt.snapshot), jsonBytes(attempt));
  return outcome === 'created' ? attempt : claimDirectory(deps, choosing, choice);
}

function runOf(
  deps: PlanSnapshotDependencies,
  choosing: Choosing,
  attempt: { readonly snapshot: string; readonly type: SnapshotType },
): SnapshotRun {
  const { input, backup, cluster, owner, keys } = choosing;
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
