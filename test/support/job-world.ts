import type { RankvaultConfig } from '../../core/config/schema.ts';
import type { ExecutionStart } from '../../core/execution-input.ts';
import type { RankName } from '../../core/ids.ts';
import { commitSnapshot } from '../../core/jobs/commit-snapshot.ts';
import { copyParts } from '../../core/jobs/copy-parts.ts';
import { unlockRun } from '../../core/jobs/end-run.ts';
import { type EnumerateProgress, enumerateProgressSchema, enumerateRank } from '../../core/jobs/enumerate-rank.ts';
import { type FenceProgress, fenceProgressSchema, fenceRank } from '../../core/jobs/fence-rank.ts';
import { inspectCluster } from '../../core/jobs/inspect-cluster.ts';
import { type CopiesPlan, planCopies, readRankList } from '../../core/jobs/plan-copies.ts';
import { planSnapshot } from '../../core/jobs/plan-snapshot.ts';
import { sealRank } from '../../core/jobs/seal-rank.ts';
import type { PartCopier } from '../../core/ports/part-copier.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import {
  type BatchItem,
  batchItemSchema,
  FIRST_POLL,
  type Pass,
  type SnapshotPlan,
  snapshotPlanSchema,
} from '../../core/run.ts';
import { readJson, textOf } from '../../core/stored-json.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { FixedClock } from './fixed-clock.ts';
import { InMemoryExecutions } from './in-memory-executions.ts';
import { InMemoryPartCopier } from './in-memory-part-copier.ts';
import { InMemorySource } from './in-memory-source.ts';
import { InMemoryTree } from './in-memory-tree.ts';
import { MeddledStore } from './meddled-store.ts';
import { SAMPLE_FUNCTIONS, sampleConfig } from './sample-config.ts';

export const never = (): boolean => false;
export const always = (): boolean => true;

export interface SnapshotOrder {
  readonly backup?: string;
  readonly type: 'full' | 'incremental' | 'differential';
  readonly execution: string;
  readonly shouldStop?: () => boolean;
  /** What the cluster's writers do between the warm pass's listing and its copies, and again before the final pass. */
  readonly meanwhile?: () => void;
}

/** An account, a cluster and the jobs of the Snapshot machine in the machine's order; all in memory. */
export class JobWorld {
  readonly clock = new FixedClock();
  readonly executions = new InMemoryExecutions();
  readonly work = new MeddledStore();
  readonly vault = new MeddledStore();
  readonly tree: InMemoryTree;
  readonly config: RankvaultConfig;
  source: SourceRoots;
  copier: PartCopier;
  #invocations = 0;

  constructor(options: { readonly tree?: InMemoryTree; readonly config?: RankvaultConfig } = {}) {
    this.tree = options.tree ?? sampleTree();
    this.config = options.config ?? sampleConfig();
    this.source = new InMemorySource(this.tree);
    this.copier = new InMemoryPartCopier(this.tree, this.vault);
  }

  get planning() {
    const { vault, work, executions, clock, config } = this;
    return { vault, work, executions, clock, config, siteFunctions: { default: SAMPLE_FUNCTIONS } };
  }

  /** What the first state of an execution is given. */
  start(execution: string, input: unknown): ExecutionStart {
    const startedAt = new Date(this.clock.nowEpochMillis()).toISOString();
    return { execution, executionArn: `arn:${execution}`, startedAt, input };
  }

  invocation(): string {
    this.#invocations += 1;
    return `invocation-${this.#invocations}`;
  }

  async plan(order: SnapshotOrder): Promise<SnapshotPlan> {
    const start = this.start(order.execution, { backup: order.backup ?? 'prod', type: order.type });
    const answer = await planSnapshot(this.planning, start);
    if (answer.outcome !== 'planned') {
      throw new Error(`The snapshot was not planned: ${answer.outcome}.`);
    }
    const plan = await readJson(this.work, this.keys(order.execution).plan(), snapshotPlanSchema);
    if (plan === undefined) {
      throw new Error('The plan was not written.');
    }
    return plan.value;
  }

  keys(execution: string): RunKeys {
    return new RunKeys('Snapshot', execution);
  }

  of(plan: SnapshotPlan) {
    const { work, vault, clock, source, copier } = this;
    return { work, vault, clock, source, copier, keys: this.keys(plan.run.execution), concurrency: 4 };
  }

  async inspect(plan: SnapshotPlan): Promise<void> {
    const deps = {
      ...this.of(plan),
      control: undefined,
      openSource: () => this.source,
      chooseKagentDirectory: () => Promise.reject(new Error('This cluster has no KAgent source.')),
    };
    await inspectCluster(deps, plan, FIRST_POLL);
  }

  ranks(plan: SnapshotPlan): Promise<readonly RankName[]> {
    return readRankList(this.work, plan.run.ranksKey);
  }

  /** Until it is done, through JSON like the machine's state. */
  async enumerate(plan: SnapshotPlan, pass: Pass, rank: RankName, shouldStop = never): Promise<number> {
    let progress: EnumerateProgress = { done: false };
    let invocations = 0;
    while (!progress.done) {
      const request = { plan, pass, rank, progress, invocation: this.invocation(), shouldStop };
      progress = enumerateProgressSchema.parse(throughJson(await enumerateRank(this.of(plan), request)));
      invocations += 1;
    }
    return invocations;
  }

  async fence(plan: SnapshotPlan, rank: RankName, shouldStop = never): Promise<void> {
    let progress: FenceProgress = { done: false };
    while (!progress.done) {
      const request = { rank, quiesced: plan.run.quiesce, progress, shouldStop };
      progress = fenceProgressSchema.parse(throughJson(await fenceRank(this.of(plan), request)));
    }
  }

  async enumerateAll(plan: SnapshotPlan, pass: Pass, shouldStop = never): Promise<CopiesPlan> {
    for (const rank of await this.ranks(plan)) {
      await this.enumerate(plan, pass, rank, shouldStop);
    }
    return planCopies(this.of(plan), plan, pass);
  }

  async batches(plan: SnapshotPlan, pass: Pass): Promise<readonly BatchItem[]> {
    return readBatchList(this.work, pass === 'warm' ? plan.run.warmBatchesKey : plan.run.batchesKey);
  }

  async copyAll(plan: SnapshotPlan, pass: Pass, shouldStop = never): Promise<void> {
    for (const item of await this.batches(plan, pass)) {
      while (!(await copyParts(this.of(plan), { run: plan.run, pass, item, shouldStop })).done) {
        // The machine calls again until the batch is done.
      }
    }
  }

  async finish(plan: SnapshotPlan, shouldStop = never): Promise<SnapshotRecord> {
    for (const rank of await this.ranks(plan)) {
      await this.fence(plan, rank, shouldStop);
    }
    for (const rank of await this.ranks(plan)) {
      await sealRank(this.of(plan), plan, rank);
    }
    const record = await commitSnapshot(this.of(plan), plan);
    await unlockRun(this.work, plan.run);
    return record;
  }

  /** All jobs in the machine's order. A minute passes, so that no two snapshots share a moment. */
  async snapshot(order: SnapshotOrder): Promise<SnapshotRecord> {
    this.clock.advanceMinutes(1);
    const plan = await this.plan(order);
    await this.inspect(plan);
    if (plan.run.warmPass) {
      await this.enumerateAll(plan, 'warm', order.shouldStop);
      order.meanwhile?.();
      await this.copyAll(plan, 'warm', order.shouldStop);
      order.meanwhile?.();
    }
    await this.enumerateAll(plan, 'final', order.shouldStop);
    await this.copyAll(plan, 'final', order.shouldStop);
    return this.finish(plan, order.shouldStop);
  }
}

/** One root with the default pattern and three ranks, the head among them. */
export function sampleTree(): InMemoryTree {
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
  const files = ['rank-0/meta.mdb', 'rank-1/tom-0/a.seg', 'rank-1/tom-1/b.seg', 'rank-2/tom-0/c.seg', 'cluster.conf'];
  for (const path of files) {
    tree.write('main', path, Buffer.from(`first ${path}`));
  }
  return tree;
}

export async function readBatchList(work: MeddledStore, key: string): Promise<readonly BatchItem[]> {
  const object = await work.get(key);
  const text = object === undefined ? '' : await textOf(object.body);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => batchItemSchema.parse(JSON.parse(line)));
}

export function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
