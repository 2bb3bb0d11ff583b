import { setImmediate as turn } from 'node:timers/promises';
import * as z from 'zod/mini';
import { deleteVersions, deletionProgressSchema } from '../../core/jobs/delete-versions.ts';
import { finishMaintenance } from '../../core/jobs/finish-maintenance.ts';
import { planDeletions } from '../../core/jobs/plan-deletions.ts';
import { planMaintenance } from '../../core/jobs/plan-maintenance.ts';
import { surveyProgressSchema, surveyRemoval } from '../../core/jobs/survey-removal.ts';
import { deletionItemSchema } from '../../core/maintain/deletions.ts';
import { readPlainLines } from '../../core/maintain/plain-lines.ts';
import { unitItemSchema } from '../../core/maintain/units.ts';
import type { MaintainRun } from '../../core/run.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { BACKUP, openScene, type Scene } from './scene.ts';

export const ACTIONS = ['expire', 'collect'] as const;
export type BenchedAction = (typeof ACTIONS)[number];

export const measurementSchema = z.object({
  deletedParts: z.int(),
  /** Looked at, and left. */
  keptParts: z.int(),
  /** By kind, of vault and work bucket. */
  requests: z.record(z.string(), z.int()),
  seconds: z.number(),
  residentAtStartBytes: z.number(),
  peakResidentBytes: z.number(),
  peakHeapBytes: z.number(),
});
export type Measurement = z.infer<typeof measurementSchema>;

export interface Benched {
  readonly action: BenchedAction;
  readonly parts: number;
  /** What `prepareScene` has left. */
  readonly directory: string;
}

/** So many times from the same beginning, with all figures of memory over all of them, and all others of the last one. */
export async function measureAction(benched: Benched, times: number): Promise<Measurement> {
  const memory = new MemoryWatch();
  let measured = await measureOnce(benched, memory);
  for (let run = 1; run < times; run += 1) {
    measured = await measureOnce(benched, memory);
  }
  return { ...measured, ...memory.figures() };
}

async function measureOnce(
  { action, parts, directory }: Benched,
  memory: MemoryWatch,
): Promise<Omit<Measurement, `${string}Bytes`>> {
  const scene = await openScene(directory, parts);
  const before = counts(scene);
  const begun = performance.now();
  const report = await carryOut(scene, action, memory);
  const seconds = (performance.now() - begun) / 1000;
  const { deletedParts } = scene.vault;
  if (deletedParts !== report.frees.parts || deletedParts === 0) {
    const said = `${action} reports ${report.frees.parts} parts`;
    throw new Error(`${said}, and ${deletedParts} were deleted: the figures mean nothing.`);
  }
  const requests = Object.fromEntries(
    Object.entries(counts(scene)).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]),
  );
  return { deletedParts, keptParts: report.residue.parts, requests, seconds };
}

/** The jobs of `Maintain` in the machine's order, one invocation after the other. */
async function carryOut({ vault, work, clock, executions, config }: Scene, action: BenchedAction, memory: MemoryWatch) {
  clock.advanceMinutes(60);
  const startedAt = new Date(clock.nowEpochMillis()).toISOString();
  const start = { execution: action, executionArn: `arn:${action}`, startedAt, input: { action, backup: BACKUP } };
  const answer = await planMaintenance({ vault, versions: vault, work, executions, clock, config }, start);
  if (answer.outcome !== 'planned') {
    throw new Error(`${action} has nothing to do: ${JSON.stringify(answer)}. Set the scene for it.`);
  }
  const { run } = answer;
  const deps = { vault, versions: vault, work, executions, clock, keys: new RunKeys('Maintain', run.execution) };
  await surveyAll(deps, run, memory);
  await planDeletions(deps, run);
  for await (const item of readPlainLines(work, run.deletionsKey, deletionItemSchema)) {
    let progress = deletionProgressSchema.parse({ done: false });
    while (!progress.done) {
      progress = await deleteVersions(deps, { run, item, progress, shouldStop: memory.look });
    }
    await turn();
  }
  return (await finishMaintenance(deps, run)).report;
}

type Steps = Parameters<typeof surveyRemoval>[0];

async function surveyAll(deps: Steps, run: MaintainRun, memory: MemoryWatch): Promise<void> {
  for await (const item of readPlainLines(deps.work, run.unitsKey, unitItemSchema)) {
    let progress = surveyProgressSchema.parse({ done: false });
    while (!progress.done) {
      const request = { run, item, progress, invocation: 'bench', shouldStop: memory.look };
      progress = await surveyRemoval(deps, request);
    }
  }
}

function counts({ vault, work }: Scene): Record<string, number> {
  const kinds = new Set([...Object.keys(vault.requests), ...Object.keys(work.requests)]);
  return Object.fromEntries([...kinds].map((kind) => [kind, (vault.requests[kind] ?? 0) + (work.requests[kind] ?? 0)]));
}

/** Asked at every part, looks at the memory now and then, and never says stop. */
class MemoryWatch {
  readonly #atStart = process.memoryUsage.rss();
  #peakResident = this.#atStart;
  #peakHeap = 0;
  #asked = 0;

  readonly look = (): boolean => {
    this.#asked += 1;
    if (this.#asked % 2_000 === 0) {
      const { rss, heapUsed } = process.memoryUsage();
      this.#peakResident = Math.max(this.#peakResident, rss);
      this.#peakHeap = Math.max(this.#peakHeap, heapUsed);
    }
    return false;
  };

  figures() {
    return {
      residentAtStartBytes: this.#atStart,
      peakResidentBytes: this.#peakResident,
      peakHeapBytes: this.#peakHeap,
    };
  }
}
