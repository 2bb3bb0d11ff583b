import type { RankName } from '../../core/ids.ts';
import { type CommitMergedAnswer, commitMerged } from '../../core/jobs/commit-merged.ts';
import type { CopyProgress } from '../../core/jobs/copy-parts.ts';
import { type HideMergedAnswer, hideMerged } from '../../core/jobs/hide-merged.ts';
import { mergeParts } from '../../core/jobs/merge-parts.ts';
import { type MergeRankProgress, mergeRank, mergeRankProgressSchema } from '../../core/jobs/merge-rank.ts';
import { readRankList } from '../../core/jobs/plan-copies.ts';
import type { MaintenanceAnswer } from '../../core/jobs/plan-maintenance.ts';
import { type MergeCopies, planMerge } from '../../core/jobs/plan-merge.ts';
import { sealMergedRank } from '../../core/jobs/seal-merged-rank.ts';
import {
  type VerifyMergedProgress,
  verifyMergedProgressSchema,
  verifyMergedRank,
} from '../../core/jobs/verify-merged-rank.ts';
import { type MergingPlan, readMergingPlan } from '../../core/maintain/merge-plan.ts';
import type { Receipt } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import type { VaultVersions } from '../../core/ports/vault-versions.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import type { BatchItem } from '../../core/run.ts';
import { partKey } from '../../core/vault-layout.ts';
import { RunKeys } from '../../core/work-layout.ts';
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

  commitUntilDone(): Promise<Extract<CommitMergedAnswer, { outcome: 'committed' }>> {
    return untilDone(() => this.commit());
  }

  hideUntilDone(): Promise<Extract<HideMergedAnswer, { outcome: 'planned' }>> {
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
async function untilDone<Answer extends Outcome>(ask: () => Promise<Answer>): Promise<Exclude<Answer, Waiting>> {
  for (let round = 0; round < 10; round += 1) {
    const answer = await ask();
    if (isDone(answer)) {
      return answer;
    }
  }
  throw new Error('The lock was never free.');
}

interface Outcome {
  readonly outcome: string;
}

interface Waiting {
  readonly outcome: 'wait';
}

function isDone<Answer extends Outcome>(answer: Answer): answer is Exclude<Answer, Waiting> {
  return answer.outcome !== 'wait';
}

/** A full, an incremental that adds and changes parts, and one that removes and changes some. */
export async function takeChain(world: JobWorld): Promise<Record<'full' | 'second' | 'third', SnapshotRecord>> {
  const full = await world.snapshot({ type: 'full', execution: 'run-0' });
  world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second'));
  world.tree.write('main', 'rank-2/tom-0/empty.seg', Buffer.from(''));
  const second = await world.snapshot({ type: 'incremental', execution: 'run-1' });
  world.tree.remove('main', 'rank-1/tom-1/b.seg');
  world.tree.write('main', 'cluster.conf', Buffer.from('third'));
  const third = await world.snapshot({ type: 'incremental', execution: 'run-2' });
  world.clock.advanceMinutes(5);
  return { full, second, third };
}

/** The part of `MaintainWorld` that plans. */
export interface PlanningWorld extends JobWorld {
  planMaintenance(
    input: { readonly action: 'merge'; readonly [key: string]: unknown },
    execution: string,
  ): Promise<MaintenanceAnswer>;
}

/** Plans a merge as the machine does; its execution runs until the test says otherwise. */
export async function planOfMerge(world: PlanningWorld, order: MergeOrder): Promise<Merge> {
  const { execution, backup = 'prod', snapshot = 'latest' } = order;
  world.executions.states.set(`arn:${execution}`, { status: 'running' });
  const answer = await world.planMaintenance({ action: 'merge', backup, snapshot }, execution);
  if (answer.outcome !== 'planned') {
    throw new Error(`The merge was not planned: ${answer.outcome}.`);
  }
  return new Merge(world, await readMergingPlan(world.work, new RunKeys('Maintain', execution)), order);
}
