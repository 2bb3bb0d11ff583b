import { RecordMissing } from '../errors.ts';
import { FORMAT_VERSION, jsonBytes } from '../format.ts';
import type { RankName } from '../ids.ts';
import { interleave } from '../interleave.ts';
import { plainJsonLines } from '../jsonl.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type BatchItem, RESTORE_PHASES, type RestorePhase, type RestorePlan, type RestoreRun } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { restoredKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { type CompareTotals, type Comparison, comparisonSchema, NO_COMPARE_TOTALS } from './compare-rank.ts';
import { readRankList } from './plan-copies.ts';

export interface RestoreBatches extends Record<RestorePhase, number> {
  /** What the restore will do, exactly; `check`: parts whose size is right and whose bytes are yet to be looked at. */
  readonly todo: CompareTotals;
}

export interface RestoreBatchesDependencies {
  readonly work: ObjectStore;
  readonly vault: ObjectStore;
  readonly keys: RunKeys;
  readonly clock: Clock;
}

/**
 * Writes the list of batches of each phase, interleaved over ranks. Unless it is a dry run, it also records in the vault that
 * this cluster is being restored, before anything in it changes: the next snapshot of the cluster is a full.
 */
export async function planRestoreBatches(deps: RestoreBatchesDependencies, plan: RestorePlan): Promise<RestoreBatches> {
  const comparisons: Comparison[] = [];
  for (const rank of await readRankList(deps.work, plan.run.ranksKey)) {
    comparisons.push(await readComparison(deps, rank));
  }
  const counts = { aside: 0, extras: 0, data: 0, activation: 0, directories: 0 };
  for (const phase of RESTORE_PHASES) {
    counts[phase] = comparisons.reduce((count, comparison) => count + batchNames(comparison, phase).length, 0);
    await deps.work.putStream(
      batchesKeyOf(plan.run, phase),
      plainJsonLines(interleaved(deps.keys, phase, comparisons)),
    );
  }
  if (!plan.run.dryRun) {
    await recordRestore(deps, plan);
  }
  return { ...counts, todo: comparisons.map((comparison) => comparison.totals).reduce(add, NO_COMPARE_TOTALS) };
}

async function readComparison(deps: RestoreBatchesDependencies, rank: RankName): Promise<Comparison> {
  const key = deps.keys.comparison(rank);
  const stored = await readJson(deps.work, key, comparisonSchema);
  if (stored === undefined) {
    throw new RecordMissing(`${key} is missing: the rank was not compared.`, { hint: 'Start the restore again.' });
  }
  return stored.value;
}

function batchNames(comparison: Comparison, phase: RestorePhase): readonly string[] {
  return comparison.pieces.flatMap((piece) =>
    Array.from({ length: piece.batches[phase] }, (_, index) => `${piece.id}-${index}`),
  );
}

async function* interleaved(
  keys: RunKeys,
  phase: RestorePhase,
  comparisons: readonly Comparison[],
): AsyncGenerator<BatchItem> {
  const lists = comparisons.map((comparison) => ({ rank: comparison.rank, batches: batchNames(comparison, phase) }));
  for (const { rank, batch } of interleave(lists)) {
    yield { rank, batch, key: keys.actions(phase, rank, batch) };
  }
}

function batchesKeyOf(run: RestoreRun, phase: RestorePhase): string {
  return run[`${phase}BatchesKey`];
}

/**
 * By the time of now, not of the execution's start: a snapshot may have been taken before this restore got the cluster's lock. A
 * retry writes a second, later record, which does no harm.
 */
async function recordRestore(deps: RestoreBatchesDependencies, plan: RestorePlan): Promise<void> {
  const { cluster, backup, snapshot, execution } = plan.run;
  const now = deps.clock.nowEpochMillis();
  const startedAt = isoOfEpochMillis(now);
  await deps.vault.create(
    restoredKey(cluster, now, execution),
    jsonBytes({ formatVersion: FORMAT_VERSION, cluster, backup, snapshot, execution, startedAt }),
  );
}

function add(left: CompareTotals, right: CompareTotals): CompareTotals {
  return {
    place: left.place + right.place,
    placeBytes: left.placeBytes + right.placeBytes,
    check: left.check + right.check,
    checkBytes: left.checkBytes + right.checkBytes,
    moveAside: left.moveAside + right.moveAside,
    remove: left.remove + right.remove,
    unchanged: left.unchanged + right.unchanged,
    excluded: left.excluded + right.excluded,
  };
}
