import * as z from 'zod/mini';
import type { MaintainInput } from '../execution-input.ts';
import { FORMAT_VERSION, formatVersionSchema } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { MaintainRun } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { maintenanceKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { type MaintenanceReport, type MaintenanceResult, maintenanceReportSchema, resultOf } from './report.ts';

/** `report.json`, write-once, the last write of a run: whoever comes again is answered from it. */
const storedReportSchema = z.object({
  formatVersion: formatVersionSchema,
  nonce: z.string(),
  execution: z.string(),
  report: maintenanceReportSchema,
});

type ReportedRun = Pick<MaintainRun, 'execution' | 'executionArn' | 'nonce' | 'action' | 'backup' | 'dryRun'>;

export interface StoredReport {
  readonly nonce: string;
  readonly execution: string;
  readonly report: MaintenanceReport;
}

export async function readStoredReport(work: ObjectStore, keys: RunKeys): Promise<StoredReport | undefined> {
  return (await readJson(work, keys.report(), storedReportSchema))?.value;
}

export interface Finished {
  readonly run: ReportedRun;
  readonly input: MaintainInput;
  readonly report: MaintenanceReport;
  /** In the vaults of these a record of the run is left; none: it changed nothing. */
  readonly changed: readonly string[];
  readonly startedAt: string;
  readonly finishedAt: string;
}

/**
 * Leaves a record of the run in the catalog of each backup that it changed, then the report in the work bucket.
 * @returns what the execution answers: of the report that was stored first
 */
export async function storeReport(
  deps: { readonly vault: ObjectStore; readonly work: ObjectStore; readonly keys: RunKeys },
  finished: Finished,
): Promise<MaintenanceResult> {
  const { run, report, changed } = finished;
  for (const backup of changed) {
    await createJson(deps.vault, maintenanceKey(backup, maintenanceId(finished)), recordOf(backup, finished));
  }
  const { nonce, execution } = run;
  await createJson(deps.work, deps.keys.report(), { formatVersion: FORMAT_VERSION, nonce, execution, report });
  const stored = await readStoredReport(deps.work, deps.keys);
  return resultOf(run, stored?.report ?? report);
}

/** `maintenance/<id>.json`: what was done to the backup, by whom, and what became of it. */
function recordOf(backup: string, { run, input, report, startedAt, finishedAt }: Finished) {
  const { action, execution, executionArn } = run;
  return {
    formatVersion: FORMAT_VERSION,
    backup,
    action,
    input,
    report,
    execution,
    executionArn,
    startedAt,
    finishedAt,
  };
}

/** `20261123T070000.123Z-purge-0a1b2c3d`: sorts by time, and no two executions share one. */
function maintenanceId({ run, startedAt }: Finished): string {
  return `${startedAt.replaceAll(/[-:]/g, '')}-${run.action}-${run.nonce.slice(0, 8)}`;
}
