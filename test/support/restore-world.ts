import { type CompareProgress, compareProgressSchema, compareRank } from '../../core/jobs/compare-rank.ts';
import { unlockRun } from '../../core/jobs/end-run.ts';
import { finishRestore, type RestoreReport } from '../../core/jobs/finish-restore.ts';
import { inspectTarget } from '../../core/jobs/inspect-target.ts';
import { markTarget } from '../../core/jobs/mark-target.ts';
import { readRankList } from '../../core/jobs/plan-copies.ts';
import { planRestore } from '../../core/jobs/plan-restore.ts';
import { planRestoreBatches } from '../../core/jobs/plan-restore-batches.ts';
import { restoreParts } from '../../core/jobs/restore-parts.ts';
import type { RestoreTarget } from '../../core/ports/restore-target.ts';
import { RESTORE_PHASES, type RestorePhase, type RestorePlan, restorePlanSchema } from '../../core/run.ts';
import { readJson } from '../../core/stored-json.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { InMemoryTarget } from './in-memory-target.ts';
import type { InMemoryTree } from './in-memory-tree.ts';
import { type JobWorld, never, readBatchList, throughJson } from './job-world.ts';

export interface RestoreOrder {
  readonly backup?: string;
  readonly snapshot?: string;
  readonly cluster?: string;
  readonly policy: 'none' | 'replace' | 'rename';
  readonly execution: string;
  readonly shouldStop?: () => boolean;
  /** Phases before this one are carried out; then the execution "dies", with its lock given back. */
  readonly dieBefore?: RestorePhase | 'done';
}

/** The jobs of the Restore machine in the machine's order, onto a tree in memory. */
export class RestoreWorld {
  readonly world: JobWorld;
  readonly tree: InMemoryTree;
  target: RestoreTarget;

  constructor(world: JobWorld, tree: InMemoryTree) {
    this.world = world;
    this.tree = tree;
    this.target = new InMemoryTarget(tree, world.vault);
  }

  keys(execution: string): RunKeys {
    return new RunKeys('Restore', execution);
  }

  of(plan: RestorePlan) {
    const { work, vault, clock } = this.world;
    const keys = this.keys(plan.run.execution);
    return { work, vault, clock, keys, target: this.target, control: undefined, vaultBucket: 'vault', concurrency: 4 };
  }

  async plan(order: RestoreOrder): Promise<RestorePlan> {
    const { world } = this;
    const input = {
      backup: order.backup ?? 'prod',
      snapshot: order.snapshot ?? 'latest',
      cluster: order.cluster ?? 'dr',
      options: { policy: order.policy, targetIsStopped: true },
    };
    await planRestore(world.planning, world.start(order.execution, input));
    const plan = await readJson(world.work, this.keys(order.execution).plan(), restorePlanSchema);
    if (plan === undefined) {
      throw new Error('The plan was not written.');
    }
    return plan.value;
  }

  async compare(plan: RestorePlan, shouldStop = never): Promise<void> {
    for (const rank of await readRankList(this.world.work, plan.run.ranksKey)) {
      let progress: CompareProgress = { done: false };
      while (!progress.done) {
        const request = { plan, rank, progress, invocation: this.world.invocation(), shouldStop };
        progress = compareProgressSchema.parse(throughJson(await compareRank(this.of(plan), request)));
      }
    }
  }

  async phase(plan: RestorePlan, phase: RestorePhase, shouldStop = never): Promise<void> {
    for (const item of await readBatchList(this.world.work, plan.run[`${phase}BatchesKey`])) {
      while (!(await restoreParts(this.of(plan), { run: plan.run, phase, item, shouldStop })).done) {
        // The machine calls again until the batch is done.
      }
    }
  }

  /** @returns undefined when the order lets it die */
  async restore(order: RestoreOrder): Promise<RestoreReport | undefined> {
    this.world.clock.advanceMinutes(1);
    const plan = await this.plan(order);
    await inspectTarget(this.of(plan), plan);
    await markTarget(this.of(plan), plan, 'moving');
    await this.compare(plan, order.shouldStop);
    await planRestoreBatches(this.of(plan), plan);
    for (const phase of RESTORE_PHASES) {
      if (order.dieBefore === phase) {
        await unlockRun(this.world.work, plan.run);
        return undefined;
      }
      await this.phase(plan, phase, order.shouldStop);
      if (phase === 'aside') {
        await markTarget(this.of(plan), plan, 'placing');
      }
    }
    if (order.dieBefore === 'done') {
      await unlockRun(this.world.work, plan.run);
      return undefined;
    }
    await markTarget(this.of(plan), plan, 'done');
    const report = await finishRestore(this.of(plan), plan);
    await unlockRun(this.world.work, plan.run);
    return report;
  }
}
