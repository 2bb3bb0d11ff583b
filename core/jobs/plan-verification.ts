import { createHash } from 'node:crypto';
import { type Catalog, readCatalog } from '../catalog.ts';
import type { RankvaultConfig } from '../config/schema.ts';
import { streamOf } from '../draft-writer.ts';
import { BackupInProgress, BackupNotFound } from '../errors.ts';
import { type ExecutionStart, parseInput, type VerifyInput, verifyInputSchema } from '../execution-input.ts';
import { FORMAT_VERSION } from '../format.ts';
import { plainJsonLines } from '../jsonl.ts';
import { acquireLock, type LockDependencies, type LockOwner, releaseLock } from '../locks.ts';
import { assertOwnPlan, ownerOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { SnapshotRecord } from '../records.ts';
import type { VerifyRun } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { catalogPrefix } from '../vault-layout.ts';
import { NOTHING_VERIFIED, partsOfVerificationId, type VerifiedState, verificationId } from '../verification.ts';
import { type ReadTable, readTable } from '../verify/catalog-table.ts';
import { allUnits, itemOf, unitsWithinBudget } from '../verify/choose-units.ts';
import { listVerifications, readNewestReadable } from '../verify/history.ts';
import { promisesOf, type RecordSightings, sightRecords } from '../verify/record-findings.ts';
import { assertAllowed, holdAll, type Scope, scopeOf } from '../verify/scope.ts';
import { LOOK, READ, type UnitItem, type VerifyPlan, verifyPlanSchema } from '../verify/verify-plan.ts';
import { RunKeys, verifyLockKey } from '../work-layout.ts';

export interface PlanVerificationDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly config: RankvaultConfig;
}

export type VerificationPlanned =
  | { readonly outcome: 'planned'; readonly run: VerifyRun }
  | { readonly outcome: 'wait'; readonly waitSeconds: number }
  | {
      readonly outcome: 'finished';
      readonly result: { readonly outcome: 'finished'; readonly backup: string; readonly next: string };
    };

/** How often a run that waits looks whether its turn has come. */
const TURN_WAIT_SECONDS = 60;
/** Units and batches at a time, for a backup that the configuration does not have any more. */
const CONCURRENCY = 40;

const EXAMPLE = '{"level":"present","backup":"prod_system"}';

/**
 * Takes its turn, reads the catalog as far as it can be read, holds what it is going to look at, and freezes which ranks are looked at. What
 * is wrong with records and lists of ranks is found here.
 * @throws InputInvalid, BackupNotFound, BackupInProgress, SnapshotNotFound, NotAScratchCluster, FormatTooNew
 */
export async function planVerification(
  deps: PlanVerificationDependencies,
  start: ExecutionStart,
): Promise<VerificationPlanned> {
  const keys = new RunKeys('Verify', start.execution);
  const owner = ownerOf(start);
  const planned = await readJson(deps.work, keys.plan(), verifyPlanSchema);
  if (planned !== undefined) {
    assertOwnPlan(planned.value.run, owner);
    return { outcome: 'planned', run: planned.value.run };
  }
  const input = parseInput(verifyInputSchema, start.input, 'Verify', EXAMPLE);
  assertAllowed(deps.config, input);
  await assertBackup(deps, input.backup);
  const lockKey = verifyLockKey(input.backup);
  const lock = await acquireLock(deps, lockKey, owner);
  if (lock.outcome === 'held') {
    return waitOrThrow(input, `is held by execution ${lock.by.execution} since ${lock.by.acquiredAt}`);
  }
  const planning = await openPlanning(deps, { start, input, owner, keys });
  if (planning === undefined) {
    await releaseLock(deps.work, lockKey, owner.nonce);
    const next = `There is nothing to verify: backup '${input.backup}' has no snapshots yet.`;
    return { outcome: 'finished', result: { outcome: 'finished', backup: input.backup, next } };
  }
  const plan = await choose(deps, planning);
  const created = await createJson(deps.work, keys.plan(), plan);
  // A ghost of this step may have been faster, with another "latest": what is frozen counts.
  const frozen = created === 'created' ? undefined : await readJson(deps.work, keys.plan(), verifyPlanSchema);
  return { outcome: 'planned', run: frozen?.value.run ?? plan.run };
}

async function assertBackup(deps: PlanVerificationDependencies, backup: string): Promise<void> {
  if (deps.config.backups[backup] !== undefined) {
    return;
  }
  for await (const _any of deps.vault.list(catalogPrefix(backup))) {
    return;
  }
  throw new BackupNotFound(`There is no backup '${backup}', neither in the configuration nor in the vault.`, {
    hint: `Configured backups: ${Object.keys(deps.config.backups).sort().join(', ') || 'none'}.`,
  });
}

/** A scheduled run waits its turn; a person is told at once. */
function waitOrThrow(input: VerifyInput, held: string): VerificationPlanned {
  if (input.wait) {
    return { outcome: 'wait', waitSeconds: TURN_WAIT_SECONDS };
  }
  throw new BackupInProgress(`The verification of backup '${input.backup}' ${held}.`, {
    hint: 'Wait until it has ended, or stop it in the Step Functions console; its lock is free 16 minutes after it stopped.',
  });
}

interface Asked {
  readonly start: ExecutionStart;
  readonly input: VerifyInput;
  readonly owner: LockOwner;
  readonly keys: RunKeys;
}

interface Planning extends Asked {
  readonly catalog: Catalog;
  readonly scope: Scope;
  readonly records: RecordSightings;
  /** Ids of the verifications so far, oldest first. */
  readonly ids: readonly string[];
  readonly state: VerifiedState;
}

/** @returns undefined when there is nothing to verify */
async function openPlanning(deps: PlanVerificationDependencies, asked: Asked): Promise<Planning | undefined> {
  const { input } = asked;
  const catalog = await readCatalog(deps.vault, input.backup);
  const ids = await listVerifications(deps.vault, input.backup);
  const state = (await readNewestReadable(deps.vault, input.backup, ids))?.state ?? NOTHING_VERIFIED;
  const isNamed = input.snapshot !== 'all' && input.snapshot !== 'latest';
  const isEmpty = catalog.snapshots.length === 0 && !isNamed;
  if (isEmpty && input.level === 'restored' && catalog.unreadable[0] !== undefined) {
    throw catalog.unreadable[0].error;
  }
  const scope: Scope = isEmpty
    ? { name: input.snapshot, whole: false, records: [], unreadable: catalog.unreadable }
    : scopeOf(catalog, input);
  const question = { backup: input.backup, level: input.level, catalog, scope, verified: state.verified };
  const records = await sightRecords(deps, question, deps.clock.nowEpochMillis());
  return isEmpty && records.sightings.length === 0 ? undefined : { ...asked, catalog, scope, records, ids, state };
}

async function choose(deps: PlanVerificationDependencies, planning: Planning): Promise<VerifyPlan> {
  const { input, start, owner, scope, catalog, records, ids } = planning;
  const { execution, executionArn } = owner;
  const hold = { backup: input.backup, execution, executionArn, since: start.startedAt };
  const held = await holdAll(deps, scope, hold);
  const table: ReadTable =
    input.level === 'restored'
      ? { table: new Map(), broken: [], sightings: [] }
      : await readTable(deps, input.backup, held);
  const items = await unitItems(deps, planning, table);
  const now = Math.max(deps.clock.nowEpochMillis(), afterLast(ids));
  return {
    formatVersion: FORMAT_VERSION,
    run: await runOf(deps, planning, { items, snapshot: held[0]?.snapshot }),
    id: verificationId(isoOfEpochMillis(now), input.level, owner.nonce),
    scope: scope.name,
    startedAt: start.startedAt,
    plannedAt: isoOfEpochMillis(now),
    snapshots: held.map(plannedSnapshot),
    whole: scope.whole,
    promises: promisesOf(catalog.snapshots),
    sightings: [...records.sightings, ...table.sightings],
    gone: [...records.gone],
  };
}

/** Clocks of two functions differ; the newest verification is that of the greatest id. */
function afterLast(ids: readonly string[]): number {
  return (partsOfVerificationId(ids.at(-1) ?? '')?.plannedAtEpochMillis ?? 0) + 1;
}

function plannedSnapshot(record: SnapshotRecord): VerifyPlan['snapshots'][number] {
  const { snapshot, type, full, chain, base, totals, lock } = record;
  const promised = lock === undefined ? {} : { promisedUntil: lock.promisedUntil };
  return { snapshot, type, full, chain, ...(base === undefined ? {} : { base }), parts: totals.parts, ...promised };
}

async function unitItems(
  deps: PlanVerificationDependencies,
  { input, scope, ids, state }: Planning,
  table: ReadTable,
): Promise<readonly UnitItem[]> {
  const { backup } = input;
  const slices =
    input.level === 'read' && input.budget !== undefined
      ? await unitsWithinBudget(deps.vault, table, { backup, budget: input.budget, config: deps.config, ids, state })
      : allUnits(table, scope.whole);
  return slices.map(itemOf);
}

async function runOf(
  deps: PlanVerificationDependencies,
  { input, owner, keys }: Planning,
  chosen: { readonly items: readonly UnitItem[]; readonly snapshot: string | undefined },
): Promise<VerifyRun> {
  const { snapshot } = chosen;
  const options = deps.config.backups[input.backup]?.options;
  const drill = input.level === 'restored' && snapshot !== undefined ? { snapshot, cluster: input.cluster } : {};
  return {
    machine: 'Verify',
    ...owner,
    prefix: keys.prefix,
    level: input.level,
    backup: input.backup,
    ...drill,
    unitsKey: await writeUnits(deps.work, keys, chosen.items),
    units: chosen.items.length,
    batchesKey: keys.batchList(READ),
    rankConcurrency: options?.rankConcurrency ?? CONCURRENCY,
    copyConcurrency: options?.copyConcurrency ?? CONCURRENCY,
    resultsPrefix: keys.results(''),
  };
}

/** Named by what is in it: a ghost of this step, which saw another catalog, writes another object. */
async function writeUnits(work: ObjectStore, keys: RunKeys, items: readonly UnitItem[]): Promise<string> {
  const hash = createHash('sha256');
  for (const item of items) {
    hash.update(JSON.stringify(item));
  }
  const key = keys.units(`${LOOK}-${hash.digest('hex').slice(0, 16)}`);
  await work.putStream(key, plainJsonLines(streamOf(items)));
  return key;
}
