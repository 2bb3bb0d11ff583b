import type { RankvaultConfig } from '../../core/config/schema.ts';
import type { ExecutionStart, MaintainInput } from '../../core/execution-input.ts';
import { deleteVersions, deletionProgressSchema } from '../../core/jobs/delete-versions.ts';
import { finishMaintenance } from '../../core/jobs/finish-maintenance.ts';
import { planDeletions } from '../../core/jobs/plan-deletions.ts';
import { type MaintenanceAnswer, planMaintenance } from '../../core/jobs/plan-maintenance.ts';
import { type SurveyProgress, surveyProgressSchema, surveyRemoval } from '../../core/jobs/survey-removal.ts';
import { deletionItemSchema } from '../../core/maintain/deletions.ts';
import { readMergingPlan } from '../../core/maintain/merge-plan.ts';
import { readPlainLines } from '../../core/maintain/plain-lines.ts';
import { type MaintenanceReport, maintenanceResultSchema } from '../../core/maintain/report.ts';
import { type UnitItem, unitItemSchema } from '../../core/maintain/units.ts';
import type { ListedVersion } from '../../core/ports/vault-versions.ts';
import { type MaintainRun, maintainRunSchema } from '../../core/run.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { collect } from './byte-streams.ts';
import type { InMemoryTree } from './in-memory-tree.ts';
import { never, throughJson } from './job-world.ts';
import { Merge, VersionedWorld } from './merge-world.ts';

export interface MaintainOptions {
  /** @default - a new one */
  readonly execution?: string;
  readonly shouldStop?: () => boolean;
  /** How often each invocation happens: one after the other, or at the same time. @default 'once' */
  readonly invoked?: 'once' | 'twice' | 'beside its ghost';
  /** That pass before. @default 1 */
  readonly minutes?: number;
  /** What happens before one of the states. */
  readonly before?: Partial<Record<'survey' | 'planDeletions' | 'delete' | 'finish', () => Promise<unknown>>>;
}

type Input = { readonly action: MaintainInput['action'] } & Readonly<Record<string, unknown>>;

/** The jobs of the Maintain machine in the machine's order, beside those of Snapshot; the vault keeps versions. */
export class MaintainWorld extends VersionedWorld {
  #executions = 0;

  constructor(options: { readonly tree?: InMemoryTree; readonly config?: RankvaultConfig } = {}) {
    super(options);
  }

  stepsOf(run: { readonly execution: string }) {
    const { work, vault, executions, clock } = this;
    return { work, vault, versions: vault, executions, clock, keys: new RunKeys('Maintain', run.execution) };
  }

  get maintaining() {
    const { vault, work, executions, clock, config } = this;
    return { vault, versions: vault, work, executions, clock, config };
  }

  next(): string {
    this.#executions += 1;
    return `maintain-${this.#executions}`;
  }

  planMaintenance(input: Input, execution = this.next()): Promise<MaintenanceAnswer> {
    const complete = { backup: 'prod', ...input };
    return planMaintenance(this.maintaining, this.start(execution, complete));
  }

  planStarted(start: ExecutionStart): Promise<MaintenanceAnswer> {
    return planMaintenance(this.maintaining, start);
  }

  planAnything(input: unknown): Promise<MaintenanceAnswer> {
    return planMaintenance(this.maintaining, this.start(this.next(), input));
  }

  /** With another configuration than that of the snapshots. */
  planWith(config: RankvaultConfig, input: unknown): Promise<MaintenanceAnswer> {
    return planMaintenance({ ...this.maintaining, config }, this.start(this.next(), input));
  }

  /** The whole machine. @returns the report */
  async maintain(input: Input, options: MaintainOptions = {}): Promise<MaintenanceReport> {
    this.clock.advanceMinutes(options.minutes ?? 1);
    const start = this.start(options.execution ?? this.next(), { backup: 'prod', ...input });
    const planned = await this.#planned(() => invoke(options, () => planMaintenance(this.maintaining, start)));
    if (planned.outcome === 'finished') {
      return maintenanceResultSchema.parse(throughJson(planned.result)).report;
    }
    const run = maintainRunSchema.parse(throughJson(planned.run));
    return this.carryOut(run.merges && !run.dryRun ? await this.merge(run, options) : run, options);
  }

  /** As the machine does: asks again while the lock is somebody else's. */
  async #planned(ask: () => Promise<MaintenanceAnswer>) {
    for (let round = 0; round < 10; round += 1) {
      const answer = await ask();
      if (answer.outcome !== 'wait') {
        return answer;
      }
    }
    throw new Error('The lock was never free.');
  }

  /** Up to and with the hiding of the sources. */
  async merge(run: MaintainRun, options: MaintainOptions = {}): Promise<MaintainRun> {
    const plan = await readMergingPlan(this.work, this.stepsOf(run).keys);
    const { shouldStop, invoked } = options;
    const merge = new Merge(this, plan, {
      execution: run.execution,
      ...(shouldStop === undefined ? {} : { shouldStop }),
      ...(invoked === undefined ? {} : { invoked }),
    });
    await merge.list();
    await merge.copy();
    await merge.seal();
    await merge.commitUntilDone();
    await merge.verify();
    const answer = await merge.hideUntilDone();
    return maintainRunSchema.parse(throughJson(answer.outcome === 'planned' ? answer.run : run));
  }

  /** What follows the plan. */
  async carryOut(run: MaintainRun, options: MaintainOptions = {}): Promise<MaintenanceReport> {
    const deps = this.stepsOf(run);
    await options.before?.survey?.();
    for (const item of await this.units(run)) {
      await this.survey(run, item, options);
    }
    await options.before?.planDeletions?.();
    const { batches } = await invoke(options, () => planDeletions(deps, run));
    await options.before?.delete?.();
    if (batches > 0 && !run.dryRun) {
      await this.deleteAll(run, options);
    }
    await options.before?.finish?.();
    const result = await invoke(options, () => finishMaintenance(deps, run));
    return maintenanceResultSchema.parse(throughJson(result)).report;
  }

  async units(run: MaintainRun): Promise<readonly UnitItem[]> {
    return run.units === 0 ? [] : collect(readPlainLines(this.work, run.unitsKey, unitItemSchema));
  }

  /** @returns how many invocations it took */
  async survey(run: MaintainRun, item: UnitItem, options: MaintainOptions = {}): Promise<number> {
    const { shouldStop = never } = options;
    let progress: SurveyProgress = { done: false };
    let invocations = 0;
    while (!progress.done) {
      const before = progress;
      const answer = await invoke(options, () =>
        surveyRemoval(this.stepsOf(run), { run, item, progress: before, invocation: this.invocation(), shouldStop }),
      );
      progress = surveyProgressSchema.parse(throughJson(answer));
      invocations += 1;
    }
    return invocations;
  }

  async deleteAll(run: MaintainRun, options: MaintainOptions = {}): Promise<void> {
    const { shouldStop = never } = options;
    for (const item of await collect(readPlainLines(this.work, run.deletionsKey, deletionItemSchema))) {
      let progress = deletionProgressSchema.parse({ done: false });
      while (!progress.done) {
        const before = progress;
        const answer = await invoke(options, () =>
          deleteVersions(this.stepsOf(run), { run, item, progress: before, shouldStop }),
        );
        progress = deletionProgressSchema.parse(throughJson(answer));
      }
    }
  }

  /** Everything that is in the vault: versions and delete markers. */
  everything(): Promise<readonly ListedVersion[]> {
    return collect(this.vault.listVersions(''));
  }

  /** Keys of part bytes, current or not, below the directory. */
  async partsOf(snapshot: string, backup = 'prod'): Promise<readonly string[]> {
    return (await collect(this.vault.listVersions(`${backup}/${snapshot}/`))).map(({ key }) => key);
  }

  advanceDays(days: number): void {
    this.clock.advanceMinutes(days * 24 * 60);
  }
}

async function invoke<T>({ invoked }: MaintainOptions, act: () => Promise<T>): Promise<T> {
  switch (invoked) {
    case 'beside its ghost':
      return (await Promise.all([act(), act()]))[0];
    case 'twice':
      await act();
      return act();
    default:
      return act();
  }
}
