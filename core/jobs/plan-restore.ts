import { findSnapshot, readSnapshots } from '../catalog.ts';
import type { ClusterConfig, RankvaultConfig } from '../config/schema.ts';
import { ClusterBusy, InputInvalid, RecordMissing } from '../errors.ts';
import { estimateRestore, type RestoreEstimate } from '../estimate.ts';
import { type ExecutionStart, parseInput, type RestoreInput, restoreInputSchema } from '../execution-input.ts';
import { FORMAT_VERSION } from '../format.ts';
import { holdSnapshot } from '../holds.ts';
import type { RankName } from '../ids.ts';
import { acquireLock, type LockDependencies, type LockOwner } from '../locks.ts';
import { assertDigest, readRanks } from '../manifest-io.ts';
import { assertOwnPlan, ownerOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type SnapshotRecord, snapshotRecordSchema } from '../records.ts';
import { type RestorePlan, type RestoreRun, restorePlanSchema } from '../run.ts';
import { type FunctionsBySite, functionsOfSite } from '../site-functions.ts';
import { createJson, readJson } from '../stored-json.ts';
import { ranksKey, recordKey } from '../vault-layout.ts';
import { clusterLockKey, RunKeys } from '../work-layout.ts';

export interface PlanRestoreDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly config: RankvaultConfig;
  readonly siteFunctions: FunctionsBySite;
}

export interface RestoreAnswer {
  readonly run: RestoreRun;
  readonly estimate: RestoreEstimate;
}

const EXAMPLE =
  '{"backup":"prod_system","snapshot":"latest","cluster":"dr","options":{"policy":"replace","targetIsStopped":true}}';

/** Copies at a time, unless the input says otherwise. */
const COPY_CONCURRENCY = 40;
const RANK_CONCURRENCY = 40;

/**
 * Chooses the snapshot, holds it against removal, takes the target's lock and freezes the plan.
 * @throws InputInvalid, SnapshotNotFound, ClusterBusy, CatalogCorrupt
 */
export async function planRestore(deps: PlanRestoreDependencies, start: ExecutionStart): Promise<RestoreAnswer> {
  const keys = new RunKeys('Restore', start.execution);
  const input = parseInput(restoreInputSchema, start.input, 'Restore', EXAMPLE);
  const planned = await readJson(deps.work, keys.plan(), restorePlanSchema);
  const owner = ownerOf(start);
  if (planned !== undefined) {
    assertOwnPlan(planned.value.run, owner);
    return answerPlanned(deps.vault, planned.value);
  }
  const record = findSnapshot(await readSnapshots(deps.vault, input.backup), input.backup, input.snapshot);
  const cluster = lookUp(deps.config, input);
  assertSameKind(record, input, cluster);
  await takeLock(deps, input.cluster, owner);
  await holdSnapshot(deps.work, deps.vault, {
    backup: input.backup,
    snapshot: record.snapshot,
    ...heldBy(owner),
    since: start.startedAt,
  });
  await writeRankList(deps, keys, record);
  const plan = planOf(deps, { start, input, record, cluster, owner, keys });
  const created = await createJson(deps.work, keys.plan(), plan);
  // A ghost of this step may have been faster, with another "latest": what is frozen counts.
  return created === 'created'
    ? { run: plan.run, estimate: estimateRestore(record.totals, record.topology.ranks.length) }
    : planRestore(deps, start);
}

/** The record is read past the catalog: it is held, so that its bytes stay although it may have been hidden since. */
async function answerPlanned(vault: ObjectStore, { run }: RestorePlan): Promise<RestoreAnswer> {
  const record = await readJson(vault, recordKey(run.backup, run.snapshot), snapshotRecordSchema);
  if (record === undefined) {
    throw new RecordMissing(`The record of ${run.backup}/${run.snapshot} is gone from the vault.`, {
      hint: 'Restore the object in the bucket (it is versioned), or use another snapshot.',
    });
  }
  return { run, estimate: estimateRestore(record.value.totals, record.value.topology.ranks.length) };
}

function lookUp(config: RankvaultConfig, input: RestoreInput): ClusterConfig {
  const cluster = config.clusters[input.cluster];
  if (cluster === undefined) {
    throw new InputInvalid(`There is no cluster '${input.cluster}'.`, {
      hint: `Known clusters: ${Object.keys(config.clusters).sort().join(', ') || 'none'}; they are defined in rankvault.config.ts.`,
    });
  }
  return cluster;
}

function assertSameKind(record: SnapshotRecord, input: RestoreInput, cluster: ClusterConfig): void {
  if (record.source.kind !== cluster.source.kind) {
    throw new InputInvalid(
      `${record.snapshot} was made from the source '${record.source.kind}' and cluster '${input.cluster}' has the source '${cluster.source.kind}'.`,
      {
        hint: 'Files that KAgent laid out are restored by KAgent: choose a target cluster with the same kind of source.',
      },
    );
  }
}

async function takeLock(deps: PlanRestoreDependencies, cluster: string, owner: LockOwner): Promise<void> {
  const lock = await acquireLock(deps, clusterLockKey(cluster), owner);
  if (lock.outcome === 'held') {
    throw new ClusterBusy(
      `Cluster '${cluster}' is held by execution ${lock.by.execution} since ${lock.by.acquiredAt}.`,
      {
        hint: 'Wait until it has ended, or stop it in the Step Functions console; its lock is free 16 minutes after it stopped.',
      },
    );
  }
}

function heldBy(owner: LockOwner): { readonly execution: string; readonly executionArn: string } {
  return { execution: owner.execution, executionArn: owner.executionArn };
}

/** The digest chain begins here: the record names the digest of ranks.jsonl.gz, which names that of each manifest. */
async function writeRankList(deps: PlanRestoreDependencies, keys: RunKeys, record: SnapshotRecord): Promise<void> {
  await assertDigest(deps.vault, ranksKey(record.backup, record.snapshot), record.ranksSha256);
  const ranks: RankName[] = [];
  for await (const line of readRanks(deps.vault, record.backup, record.snapshot)) {
    ranks.push(line.rank);
  }
  await deps.work.put(keys.ranks(), Buffer.from(JSON.stringify(ranks)));
}

interface Planning {
  readonly start: ExecutionStart;
  readonly input: RestoreInput;
  readonly record: SnapshotRecord;
  readonly cluster: ClusterConfig;
  readonly owner: LockOwner;
  readonly keys: RunKeys;
}

function planOf(deps: PlanRestoreDependencies, planning: Planning): RestorePlan {
  const { start, input, record, cluster } = planning;
  const { kind, directory } = record.source;
  return {
    formatVersion: FORMAT_VERSION,
    run: runOf(deps, planning),
    options: input.options,
    startedAt: start.startedAt,
    source: { kind, ...(directory === undefined ? {} : { directory }) },
    topology: record.topology,
    cluster,
  };
}

function runOf(deps: PlanRestoreDependencies, { input, record, cluster, owner, keys }: Planning): RestoreRun {
  return {
    machine: 'Restore',
    ...owner,
    prefix: keys.prefix,
    backup: input.backup,
    cluster: input.cluster,
    snapshot: record.snapshot,
    policy: input.options.policy,
    dryRun: input.options.dryRun,
    ranksKey: keys.ranks(),
    asideBatchesKey: keys.batchList('aside'),
    dataBatchesKey: keys.batchList('data'),
    extrasBatchesKey: keys.batchList('extras'),
    activationBatchesKey: keys.batchList('activation'),
    directoriesBatchesKey: keys.batchList('directories'),
    rankConcurrency: RANK_CONCURRENCY,
    copyConcurrency: input.options.copyConcurrency ?? COPY_CONCURRENCY,
    resultsPrefix: keys.results(''),
    functions: functionsOfSite(deps.siteFunctions, cluster),
  };
}
