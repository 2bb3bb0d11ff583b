import { plainJsonLines } from '../jsonl.ts';
import type { DeletionItem } from '../maintain/deletions.ts';
import { readSweepPlan } from '../maintain/plan.ts';
import { type RecordsRemoved, removeRecords } from '../maintain/records-removal.ts';
import { batchesOfSurvey } from '../maintain/survey.ts';
import { isRefused, surveyedUnits } from '../maintain/surveyed-units.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { MaintainRun } from '../run.ts';
import type { RunKeys } from '../work-layout.ts';

export interface PlanDeletionsDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/**
 * Deletes the records of what is dead, the first thing of all that goes, and lists the batches of everything else. A dry run has no
 * batches, because its survey writes none.
 * @throws BackupFrozen, CatalogCorrupt, RecordMissing
 */
export async function planDeletions(
  deps: PlanDeletionsDependencies,
  run: MaintainRun,
): Promise<{ readonly batches: number }> {
  const removed = run.dryRun ? undefined : await removeRecords(deps, await readSweepPlan(deps.work, deps.keys));
  const total = { batches: 0 };
  await deps.work.putStream(run.deletionsKey, plainJsonLines(items(deps, { run, removed, total })));
  return total;
}

async function* items(
  deps: PlanDeletionsDependencies,
  of: {
    readonly run: MaintainRun;
    readonly removed: RecordsRemoved | undefined;
    readonly total: { batches: number };
  },
): AsyncGenerator<DeletionItem> {
  for await (const { unit, surveyed } of surveyedUnits(deps, of.run)) {
    for (const batch of isRefused(of.removed, unit) ? [] : batchesOfSurvey(unit, surveyed)) {
      of.total.batches += 1;
      yield { batch };
    }
  }
}
