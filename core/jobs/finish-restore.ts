import pMap from 'p-map';
import { FORMAT_VERSION, jsonBytes } from '../format.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { RESTORE_PHASES, type RestorePlan } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';
import type { RunKeys } from '../work-layout.ts';
import { comparisonSchema, readTargetState } from './compare-rank.ts';
import { readRankList } from './plan-copies.ts';
import { type DoneWindow, doneWindowSchema, NOTHING_DONE } from './restore-parts.ts';

export interface RestoreReport extends Omit<DoneWindow, 'formatVersion'> {
  readonly backup: string;
  readonly snapshot: string;
  readonly cluster: string;
  /** Lines of the snapshot that were left out because their root in the target excludes them. */
  readonly excluded: number;
  readonly seconds: number;
  /** Where the old files are, with policy `rename`. */
  readonly aside?: string;
  /** What the operator does now. */
  readonly next: string;
}

/** Records read at a time. */
const READS_AT_A_TIME = 32;

/** Sums what the windows did and writes the report. */
export async function finishRestore(
  deps: { readonly work: ObjectStore; readonly keys: RunKeys; readonly clock: Clock },
  plan: RestorePlan,
): Promise<RestoreReport> {
  const { formatVersion: _version, ...done } = await sumWindows(deps.work, deps.keys);
  const { label } = await readTargetState(deps.work, deps.keys);
  const now = deps.clock.nowEpochMillis();
  const report: RestoreReport = {
    backup: plan.run.backup,
    snapshot: plan.run.snapshot,
    cluster: plan.run.cluster,
    ...done,
    excluded: await sumExcluded(deps.work, deps.keys, plan),
    seconds: Math.round((now - (epochMillisOfIso(plan.startedAt) ?? now)) / 1000),
    ...(plan.run.policy === 'rename' ? { aside: `.rankvault-aside/${label}/` } : {}),
    next: nextStep(plan),
  };
  await deps.work.put(
    deps.keys.report(),
    jsonBytes({ formatVersion: FORMAT_VERSION, ...report, at: isoOfEpochMillis(now) }),
  );
  return report;
}

function nextStep(plan: RestorePlan): string {
  const { cluster } = plan;
  if (cluster.source.kind === 'kagent') {
    const name = cluster.source.clusterName ?? plan.run.cluster;
    return `Run: kagent cluster restore --restore-from ${name}/${plan.source.directory ?? ''} ${name}`;
  }
  return `Start cluster '${plan.run.cluster}'; its next snapshot will be a full.`;
}

async function sumWindows(work: ObjectStore, keys: RunKeys): Promise<DoneWindow> {
  const total = { ...NOTHING_DONE };
  for (const phase of RESTORE_PHASES) {
    await pMap(
      work.list(keys.donePrefix(phase)),
      async ({ key }) => {
        const window = await readJson(work, key, doneWindowSchema);
        total.placed += window?.value.placed ?? 0;
        total.placedBytes += window?.value.placedBytes ?? 0;
        total.kept += window?.value.kept ?? 0;
        total.keptBytes += window?.value.keptBytes ?? 0;
        total.movedAside += window?.value.movedAside ?? 0;
        total.removed += window?.value.removed ?? 0;
      },
      { concurrency: READS_AT_A_TIME },
    );
  }
  return total;
}

async function sumExcluded(work: ObjectStore, keys: RunKeys, plan: RestorePlan): Promise<number> {
  let excluded = 0;
  await pMap(
    await readRankList(work, plan.run.ranksKey),
    async (rank) => {
      const comparison = await readJson(work, keys.comparison(rank), comparisonSchema);
      excluded += comparison?.value.totals.excluded ?? 0;
    },
    { concurrency: READS_AT_A_TIME },
  );
  return excluded;
}
