import pMap from 'p-map';
import { readFreeze } from '../catalog.ts';
import { releaseStaleHold } from '../holds.ts';
import type { LockDependencies } from '../locks.ts';
import { costOf } from '../maintain/cost.ts';
import { nextStep } from '../maintain/next-step.ts';
import { type Leftover, type Outcome, readOutcome } from '../maintain/outcome.ts';
import { type MaintainPlan, readMaintainPlan, readSweepPlan, type SweepPlan } from '../maintain/plan.ts';
import { type MaintenanceReport, type MaintenanceResult, resultOf } from '../maintain/report.ts';
import { writeStamp } from '../maintain/stamps.ts';
import { readStoredReport, storeReport } from '../maintain/stored-report.ts';
import { abortUploads } from '../maintain/uploads.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { MaintainRun } from '../run.ts';
import { isoOfEpochMillis } from '../utc.ts';
import type { RunKeys } from '../work-layout.ts';

export interface FinishMaintenanceDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly keys: RunKeys;
}

const WRITE_CONCURRENCY = 16;

/**
 * Cleans up what is no version of a part, writes down what every swept directory still holds, and reports. A dry run only reports; what
 * it says is what the run would say, except for locks that only S3 knows.
 */
export async function finishMaintenance(
  deps: FinishMaintenanceDependencies,
  run: MaintainRun,
): Promise<MaintenanceResult> {
  const stored = await readStoredReport(deps.work, deps.keys);
  if (stored !== undefined) {
    return resultOf(run, stored.report);
  }
  const plan = await readMaintainPlan(deps.work, deps.keys);
  const sweep = await thawedPart(deps, run, await readSweepPlan(deps.work, deps.keys));
  const outcome = await readOutcome(deps, run, sweep);
  const uploads = await abortUploads(deps, sweep.uploads, run.dryRun);
  if (!run.dryRun) {
    await pMap(sweep.staleHolds, (key) => releaseStaleHold(deps, key), { concurrency: WRITE_CONCURRENCY });
    await writeStamps(deps, sweep, outcome.leftovers);
  }
  const report = reportOf({ run, plan, sweep, outcome, uploads });
  return storeReport(deps, {
    run,
    input: plan.input,
    report,
    changed: run.dryRun || !isChange(report) ? [] : backupsOf(run, sweep),
    startedAt: plan.startedAt,
    finishedAt: isoOfEpochMillis(deps.clock.nowEpochMillis()),
  });
}

/** Without uploads and holds, of which only `collect` has any, when the backup was frozen since the decision. */
async function thawedPart(
  { vault }: FinishMaintenanceDependencies,
  run: MaintainRun,
  { uploads, ...sweep }: SweepPlan,
): Promise<SweepPlan> {
  if (uploads === undefined || (await readFreeze(vault, run.backup)) !== undefined) {
    return { ...sweep, staleHolds: [] };
  }
  return { ...sweep, uploads };
}

/** Of a directory of which nothing is left, nobody will ask. */
async function writeStamps(
  { work, clock }: FinishMaintenanceDependencies,
  sweep: SweepPlan,
  leftovers: readonly Leftover[],
): Promise<void> {
  const at = isoOfEpochMillis(clock.nowEpochMillis());
  const referrersOf = new Map(sweep.directories.map((each) => [`${each.backup}/${each.directory}`, each.referrers]));
  await pMap(
    leftovers.filter(({ residueParts, locked }) => residueParts > 0 || locked),
    async ({ backup, directory, lockedUntil }) => {
      const referrers = referrersOf.get(`${backup}/${directory}`) ?? [];
      const until = lockedUntil === undefined ? {} : { lockedUntil };
      await writeStamp(work, { backup, directory }, { referrers, ...until, at });
    },
    { concurrency: WRITE_CONCURRENCY },
  );
}

interface Facts {
  readonly run: MaintainRun;
  readonly plan: MaintainPlan;
  readonly sweep: SweepPlan;
  readonly outcome: Outcome;
  readonly uploads: number;
}

function reportOf({ run, plan, sweep, outcome, uploads }: Facts): MaintenanceReport {
  const { totals, unforeseen } = outcome;
  const hidden = sweep.hidden.length + sweep.orphans;
  const report = {
    hidden: sweep.hidden,
    hiddenCount: sweep.hidden.length,
    ...(plan.kept === undefined ? {} : { kept: plan.kept }),
    ...outcome.report,
    ...(sweep.hiddenBefore === undefined ? {} : { hiddenBefore: sweep.hiddenBefore }),
    orphans: sweep.orphans,
    uploads,
    staleHolds: sweep.staleHolds.length,
    ...(plan.merged === undefined ? {} : { merged: plan.merged }),
  };
  return {
    ...report,
    cost: costOf({ units: run.units, hidden, totals, frees: outcome.report.frees, merge: plan.mergeWork }),
    next: nextStep(report, { action: run.action, dryRun: run.dryRun, notes: plan.notes, totals, unforeseen }),
  };
}

function isChange(report: MaintenanceReport): boolean {
  const { hiddenCount, frees, catalogObjects, orphans, uploads, staleHolds, markers, merged } = report;
  const touched = hiddenCount + frees.parts + catalogObjects + orphans + uploads + staleHolds + markers;
  return touched > 0 || merged !== undefined;
}

/** `drop` may have been of several, or of a pattern, which is no backup. */
function backupsOf(run: MaintainRun, sweep: SweepPlan): readonly string[] {
  const named = [...sweep.hidden, ...sweep.directories].map(({ backup }) => backup);
  return [...new Set(run.action === 'drop' ? named : [run.backup, ...named])].sort();
}
