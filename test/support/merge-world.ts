import { findSnapshot, newestDirectory, readSnapshots } from '../../core/catalog.ts';
import type { ObjectLockConfig } from '../../core/config/schema.ts';
import type { ExecutionStart } from '../../core/execution-input.ts';
import { holdSnapshot } from '../../core/holds.ts';
import { directoryOfId, nextSnapshotId, type RankName } from '../../core/ids.ts';
import { type CommitMergedAnswer, commitMerged } from '../../core/jobs/commit-merged.ts';
import type { CopyProgress } from '../../core/jobs/copy-parts.ts';
import { type DeletionProgress, deleteVersions, deletionProgressSchema } from '../../core/jobs/delete-versions.ts';
import { type HideMergedAnswer, hideMerged } from '../../core/jobs/hide-merged.ts';
import { mergeParts } from '../../core/jobs/merge-parts.ts';
import { type MergeRankProgress, mergeRank, mergeRankProgressSchema } from '../../core/jobs/merge-rank.ts';
import { readRankList } from '../../core/jobs/plan-copies.ts';
import { planDeletions } from '../../core/jobs/plan-deletions.ts';
import { type MergeCopies, planMerge } from '../../core/jobs/plan-merge.ts';
import { sealMergedRank } from '../../core/jobs/seal-merged-rank.ts';
import { type SurveyProgress, surveyProgressSchema, surveyRemoval } from '../../core/jobs/survey-removal.ts';
import {
  type VerifyMergedProgress,
  verifyMergedProgressSchema,
  verifyMergedRank,
} from '../../core/jobs/verify-merged-rank.ts';
import { readBackupState } from '../../core/maintain/backup-state.ts';
import { deletionItemSchema } from '../../core/maintain/deletions.ts';
import type { WaitAnswer } from '../../core/maintain/merge-lock.ts';
import { type MergingPlan, writeMergeRanks } from '../../core/maintain/merge-plan.ts';
import { readPlainLines } from '../../core/maintain/plain-lines.ts';
import { decideSweeps } from '../../core/maintain/sweeps.ts';
import { unitItemSchema } from '../../core/maintain/units.ts';
import { ownerOf } from '../../core/owner.ts';
import type { Receipt } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import type { VaultVersions } from '../../core/ports/vault-versions.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import type { BatchItem, MaintainRun } from '../../core/run.ts';
import { createJson } from '../../core/stored-json.ts';
import { isoOfEpochMillis } from '../../core/utc.ts';
import { attemptKey, partKey } from '../../core/vault-layout.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { collect } from './byte-streams.ts';
import { checksumOfBytes } from './checksum-of-bytes.ts';
import { InMemoryPartCopier } from './in-memory-part-copier.ts';
import { JobWorld, never, readBatchList, throughJson } from './job-world.ts';
import { MeddledStore } from './meddled-store.ts';
import { storeBytes } from './store-bytes.ts';

export interface MergeOrder {
  readonly execution: string;
  /** @default 'prod' */
  readonly backup?: string;
  /** @default 'latest' */
  readonly snapshot?: string;
  readonly shouldStop?: () => boolean;
  /** @default 7 */
  readonly undeleteDays?: number;
  /** @default - no Object Lock */
  readonly objectLock?: ObjectLockConfig;
  /** How often each invocation happens: one after the other, or at the same time. @default 'once' */
  readonly invoked?: 'once' | 'twice' | 'beside its ghost';
}

/** A world whose vault keeps versions, as vaults do. */
export class VersionedWorld extends JobWorld {
  override readonly vault = new MeddledStore({ versioned: true, clock: this.clock });

  constructor(options: ConstructorParameters<typeof JobWorld>[0] = {}) {
    super(options);
    this.copier = new InMemoryPartCopier(this.tree, this.vault);
  }

  /** Text of an object of the work bucket. */
  async read(key: string): Promise<string> {
    return Buffer.from(await storeBytes(this.work, key)).toString();
  }
}

/** Stores bytes of its own for parts that a `ListedSource` lists, which has none; copies of a merge are made as always. */
export class StoringCopier implements PartCopier {
  readonly #vault: MeddledStore;
  readonly #copies: PartCopier;

  constructor(world: VersionedWorld) {
    this.#vault = world.vault;
    this.#copies = new InMemoryPartCopier(world.tree, world.vault);
  }

  async copy(task: CopyTask): Promise<Receipt | undefined> {
    if (task.stored !== undefined) {
      return this.#copies.copy(task);
    }
    const { backup, snapshot, rank, part } = task;
    const key = partKey(backup, snapshot, rank, part.path);
    const bytes = Buffer.alloc(part.sizeBytes, part.token);
    await this.#vault.create(key, bytes);
    return {
      path: part.path,
      token: part.token,
      sizeBytes: part.sizeBytes,
      checksum: await checksumOfBytes('CRC32', bytes),
      in: snapshot,
      etag: (await this.#vault.head(key))?.etag ?? '',
      versionId: this.#vault.currentVersion(key).versionId,
    };
  }
}

/** The jobs of one merge in the machine's order, each on its own, so that a test can act between them. */
export class Merge {
  readonly world: JobWorld;
  readonly plan: MergingPlan;
  readonly #order: MergeOrder;

  constructor(world: JobWorld, plan: MergingPlan, order: MergeOrder) {
    this.world = world;
    this.plan = plan;
    this.#order = order;
  }

  get deps() {
    const { work, vault, clock, executions, copier } = this.world;
    const keys = new RunKeys('Maintain', this.plan.run.execution);
    return { work, vault, versions: vault, clock, executions, copier, keys, concurrency: 4 };
  }

  ranks(): Promise<readonly RankName[]> {
    return readRankList(this.world.work, this.plan.run.ranksKey);
  }

  async list(): Promise<MergeCopies> {
    for (const rank of await this.ranks()) {
      await this.#untilDone<MergeRankProgress>(async (progress) => {
        const request = { plan: this.plan, rank, progress, invocation: this.world.invocation() };
        return mergeRankProgressSchema.parse(throughJson(await mergeRank(this.deps, { ...request, ...this.#time })));
      });
    }
    return this.#invoke(() => planMerge(this.deps, this.plan));
  }

  async copy(): Promise<void> {
    const { backup, snapshot } = this.plan.merge;
    for (const item of await this.batches()) {
      await this.#untilDone(() => mergeParts(this.deps, { run: { backup, snapshot }, item, ...this.#time }));
    }
  }

  batches(): Promise<readonly BatchItem[]> {
    return readBatchList(this.world.work, this.plan.run.batchesKey);
  }

  /** One invocation for the first batch. */
  async copyOnce(shouldStop: () => boolean): Promise<CopyProgress> {
    const { backup, snapshot } = this.plan.merge;
    const [item] = await this.batches();
    if (item === undefined) {
      throw new Error('There is no batch: list first.');
    }
    return mergeParts(this.deps, { run: { backup, snapshot }, item, shouldStop });
  }

  async seal(): Promise<void> {
    for (const rank of await this.ranks()) {
      await this.#invoke(() => sealMergedRank(this.deps, this.plan, rank));
    }
  }

  commit(): Promise<CommitMergedAnswer> {
    return this.#invoke(() => commitMerged(this.deps, this.plan));
  }

  async verify(): Promise<void> {
    for (const rank of await this.ranks()) {
      await this.#untilDone<VerifyMergedProgress>(async (progress) => {
        const request = { plan: this.plan, rank, progress, ...this.#time };
        return verifyMergedProgressSchema.parse(throughJson(await verifyMergedRank(this.deps, request)));
      });
    }
  }

  /** One rank, with other dependencies. @returns how many invocations it took */
  async verifyRank(
    rank: RankName,
    change: { readonly versions: Pick<VaultVersions, 'listVersions'>; readonly shouldStop: () => boolean },
  ): Promise<number> {
    const { versions, shouldStop } = change;
    let progress: VerifyMergedProgress = { done: false };
    let invocations = 0;
    while (!progress.done) {
      const request = { plan: this.plan, rank, progress, shouldStop };
      progress = await verifyMergedRank({ ...this.deps, versions }, request);
      invocations += 1;
    }
    return invocations;
  }

  hide(): Promise<HideMergedAnswer> {
    return this.#invoke(() => hideMerged(this.deps, this.plan));
  }

  commitUntilDone() {
    return untilDone(() => this.commit());
  }

  hideUntilDone() {
    return untilDone(() => this.hide());
  }

  /** Up to and with the commit. */
  async upToCommit(): Promise<void> {
    await this.list();
    await this.copy();
    await this.seal();
    await this.commit();
  }

  get #time() {
    return { shouldStop: this.#order.shouldStop ?? never };
  }

  async #untilDone<P extends { readonly done: boolean }>(step: (progress: P | { done: false }) => Promise<P>) {
    let progress: P | { done: false } = { done: false };
    while (!progress.done) {
      const before: P | { done: false } = progress;
      progress = await this.#invoke(() => step(before));
    }
  }

  async #invoke<T>(act: () => Promise<T>): Promise<T> {
    switch (this.#order.invoked) {
      case 'beside its ghost':
        return (await Promise.all([act(), act()]))[0];
      case 'twice':
        await act();
        return act();
      default:
        return act();
    }
  }
}

/** As the machine does: asks again while the lock is somebody else's. */
async function untilDone<A extends { readonly outcome: string }>(ask: () => Promise<A | WaitAnswer>): Promise<A> {
  for (let round = 0; round < 10; round += 1) {
    const answer = await ask();
    if (isDone(answer)) {
      return answer;
    }
  }
  throw new Error('The lock was never free.');
}

function isDone<A extends { readonly outcome: string }>(answer: A | WaitAnswer): answer is A {
  return answer.outcome !== 'wait';
}

/** Frees what a sweep plan says, as the machine does after `hideMerged`. */
export async function freeSwept(world: JobWorld, run: MaintainRun, shouldStop = never): Promise<void> {
  const keys = new RunKeys('Maintain', run.execution);
  const { work, vault } = world;
  const deps = { work, vault, versions: vault, keys };
  const units = run.units === 0 ? [] : await collect(readPlainLines(work, run.unitsKey, unitItemSchema));
  for (const item of units) {
    let progress: SurveyProgress = { done: false };
    while (!progress.done) {
      const request = { run, item, progress, invocation: world.invocation(), shouldStop };
      progress = surveyProgressSchema.parse(throughJson(await surveyRemoval(deps, request)));
    }
  }
  await planDeletions(deps, run);
  for (const item of await collect(readPlainLines(work, run.deletionsKey, deletionItemSchema))) {
    let progress: DeletionProgress = { done: false };
    while (!progress.done) {
      progress = deletionProgressSchema.parse(
        throughJson(await deleteVersions(deps, { run, item, progress, shouldStop })),
      );
    }
  }
}

/** Sweeps all that is due by now. */
export async function collectAll(world: JobWorld, execution: string, backup = 'prod'): Promise<void> {
  const keys = new RunKeys('Maintain', execution);
  const { work, vault, clock, executions } = world;
  const deps = { work, vault, versions: vault, clock, executions };
  const run = runOf(world.start(execution, {}), keys, { action: 'collect', backup, snapshot: undefined });
  const states = [await readBackupState(deps, backup)];
  const units = await decideSweeps(deps, { run, keys, states, collect: true });
  await freeSwept(world, { ...run, units });
}

/** What `PlanMaintenance` leaves for the steps of a merge, of the same moment and with the same writes. */
export async function planOfMerge(world: JobWorld, order: MergeOrder): Promise<Merge> {
  const backup = order.backup ?? 'prod';
  const start = world.start(order.execution, { action: 'merge', backup });
  const keys = new RunKeys('Maintain', order.execution);
  const owner = ownerOf(start);
  const snapshots = await readSnapshots(world.vault, backup);
  const source = findSnapshot(snapshots, backup, order.snapshot ?? 'latest');
  const id = nextSnapshotId(world.clock.nowEpochMillis(), await newestDirectory(world.vault, backup));
  const snapshot = directoryOfId(id);
  const claimedAt = isoOfEpochMillis(world.clock.nowEpochMillis());
  const attempt = { formatVersion: 1, backup, snapshot, id, ...owner, type: 'full', claimedAt };
  await createJson(world.vault, attemptKey(backup, snapshot), attempt);
  const { execution, executionArn } = owner;
  const hold = { backup, snapshot: source.snapshot, execution, executionArn, since: claimedAt };
  await holdSnapshot(world.work, world.vault, hold);
  await writeMergeRanks(world, source, keys.ranks());
  const plan: MergingPlan = {
    formatVersion: 1,
    startedAt: start.startedAt,
    run: runOf(start, keys, { action: 'merge', backup, snapshot }),
    merge: {
      backup,
      source: source.snapshot,
      sources: lineageOf(snapshots, source),
      snapshot,
      id,
      undeleteDays: order.undeleteDays ?? 7,
      ...(order.objectLock === undefined ? {} : { objectLock: order.objectLock }),
    },
  };
  await createJson(world.work, keys.plan(), plan);
  return new Merge(world, plan, order);
}

/** The snapshot and all that it builds on, oldest first. */
function lineageOf(snapshots: readonly SnapshotRecord[], newest: SnapshotRecord): string[] {
  const base = snapshots.find(({ snapshot }) => snapshot === newest.base);
  return [...(base === undefined ? [] : lineageOf(snapshots, base)), newest.snapshot];
}

function runOf(
  start: ExecutionStart,
  keys: RunKeys,
  what: { readonly action: string; readonly backup: string; readonly snapshot: string | undefined },
): MaintainRun {
  const { action, backup, snapshot } = what;
  return {
    machine: 'Maintain',
    ...ownerOf(start),
    prefix: keys.prefix,
    action,
    backup,
    dryRun: false,
    merges: snapshot !== undefined,
    ...(snapshot === undefined ? {} : { snapshot }),
    ranksKey: keys.ranks(),
    batchesKey: keys.batchList('final'),
    unitsKey: keys.units('survey'),
    units: 0,
    deletionsKey: keys.units('deletions'),
    rankConcurrency: 4,
    copyConcurrency: 4,
    resultsPrefix: keys.results(''),
  };
}
