import * as z from 'zod/mini';
import { ActionWriter, type PhaseCounts } from '../action-writer.ts';
import { RecordMissing } from '../errors.ts';
import { FORMAT_VERSION, formatVersionSchema } from '../format.ts';
import { type RankName, rankNameSchema } from '../ids.ts';
import { assertDigest, readManifest, readRanks } from '../manifest-io.ts';
import { after, joinByPath } from '../ordered-join.ts';
import { placeableLines } from '../placeable-lines.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import type { RankLine } from '../records.ts';
import { actionsFor, type PhasedAction, type RestoreRules } from '../restore-actions.ts';
import { type RestorePlan, type TargetState, targetStateSchema } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { manifestKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';

const phaseCountsSchema = z.object({
  aside: z.int(),
  extras: z.int(),
  data: z.int(),
  activation: z.int(),
  directories: z.int(),
});
const comparedPieceSchema = z.object({ id: z.string(), batches: phaseCountsSchema });
const compareTotalsSchema = z.object({
  place: z.int(),
  placeBytes: z.int(),
  check: z.int(),
  checkBytes: z.int(),
  moveAside: z.int(),
  remove: z.int(),
  unchanged: z.int(),
  /** Lines of the snapshot that are left out because their root in the target excludes them. */
  excluded: z.int(),
});
export type CompareTotals = z.infer<typeof compareTotalsSchema>;

export const NO_COMPARE_TOTALS: CompareTotals = {
  place: 0,
  placeBytes: 0,
  check: 0,
  checkBytes: 0,
  moveAside: 0,
  remove: 0,
  unchanged: 0,
  excluded: 0,
};

/** `comparisons/rank-<n>.json`, write-once: which pieces make up the rank's actions. */
export const comparisonSchema = z.object({
  formatVersion: formatVersionSchema,
  rank: rankNameSchema,
  pieces: z.array(comparedPieceSchema),
  totals: compareTotalsSchema,
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const compareProgressSchema = z.object({
  done: z.boolean(),
  after: z.optional(z.string()),
  pieces: z.optional(z.array(comparedPieceSchema)),
  totals: z.optional(compareTotalsSchema),
});
export type CompareProgress = z.infer<typeof compareProgressSchema>;

export interface CompareDependencies {
  readonly vault: ObjectStore;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly target: RestoreTarget;
}

export interface CompareRequest {
  readonly plan: RestorePlan;
  readonly rank: RankName;
  readonly progress: CompareProgress;
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

/**
 * Joins a rank's manifest with what the target holds and writes what has to be done. Reads only: a dry run does it too, and what the
 * target cannot take is refused here, before anything in it changes.
 * @throws CatalogCorrupt when the manifest is not the one that was committed
 * @throws TopologyMismatch, PathCollision when the target cannot take what the snapshot has
 */
export async function compareRank(deps: CompareDependencies, request: CompareRequest): Promise<CompareProgress> {
  const { plan, rank, progress } = request;
  const key = deps.keys.comparison(rank);
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  const facts = await snapshotFacts(deps.vault, plan, rank);
  if (progress.after === undefined) {
    await assertDigest(deps.vault, manifestKey(plan.run.backup, plan.run.snapshot, rank), facts.line.sha256);
  }
  const walked = await walk(deps, request, await rulesFor(deps, request, facts));
  const pieces = [...(progress.pieces ?? []), walked.piece];
  if (walked.stoppedAfter !== undefined) {
    return { done: false, after: walked.stoppedAfter, pieces, totals: walked.totals };
  }
  await createJson(deps.work, key, { formatVersion: FORMAT_VERSION, rank, pieces, totals: walked.totals });
  return { done: true };
}

interface SnapshotFacts {
  readonly line: RankLine;
  /** In any rank: a rank of a file root may well have none, and then every directory in the target's is extra. */
  readonly hasDirectories: boolean;
}

async function snapshotFacts(vault: ObjectStore, plan: RestorePlan, rank: RankName): Promise<SnapshotFacts> {
  let found: RankLine | undefined;
  let hasDirectories = false;
  for await (const line of readRanks(vault, plan.run.backup, plan.run.snapshot)) {
    found = line.rank === rank ? line : found;
    hasDirectories ||= line.totals.directories > 0;
  }
  if (found === undefined) {
    throw new RecordMissing(`${plan.run.snapshot} has no rank ${rank}.`, { hint: 'Start the restore again.' });
  }
  return { line: found, hasDirectories };
}

async function rulesFor(
  deps: CompareDependencies,
  { plan, rank }: CompareRequest,
  facts: SnapshotFacts,
): Promise<RestoreRules> {
  const state = await readTargetState(deps.work, deps.keys);
  return {
    rank,
    policy: plan.run.policy,
    trustTimes: plan.options.trustTimes,
    placeAll: plan.options.placeAll,
    resumed: state.resumed,
    hasActivation: plan.source.kind === 'files',
    snapshotHasDirectories: facts.hasDirectories,
    hasOneRoot: plan.cluster.source.kind === 'kagent' || plan.cluster.roots.length === 1,
  };
}

export async function readTargetState(work: ObjectStore, keys: RunKeys): Promise<TargetState> {
  const state = await readJson(work, keys.target(), targetStateSchema);
  if (state === undefined) {
    throw new RecordMissing(`${keys.target()} is missing from the work bucket.`, { hint: 'Start the restore again.' });
  }
  return state.value;
}

async function walk(deps: CompareDependencies, request: CompareRequest, rules: RestoreRules) {
  const { plan, rank, progress } = request;
  const writer = new ActionWriter(deps.work, deps.keys, { rank, id: request.invocation });
  const totals = { ...(progress.totals ?? NO_COMPARE_TOTALS) };
  const manifest = readManifest(deps.vault, { backup: plan.run.backup, snapshot: plan.run.snapshot, rank });
  let lastPath: string | undefined;
  const closed = async (): Promise<{ id: string; batches: PhaseCounts }> => ({
    id: request.invocation,
    batches: await writer.close(),
  });
  for await (const { left, right: live } of joinByPath(
    after(placeableLines(manifest, deps.target, rank), progress.after),
    deps.target.listRank(rank, progress.after),
  )) {
    if (lastPath !== undefined && request.shouldStop()) {
      return { piece: await closed(), totals, stoppedAfter: lastPath };
    }
    const line = left?.line;
    const actions = actionsFor(line, live, rules);
    totals.excluded += left !== undefined && line === undefined ? 1 : 0;
    totals.unchanged += actions.length === 0 && line !== undefined ? 1 : 0;
    for (const action of actions) {
      count(totals, action);
      await writer.write(action);
    }
    lastPath = left?.path ?? live?.path;
  }
  return { piece: await closed(), totals, stoppedAfter: undefined };
}

function count(totals: { -readonly [K in keyof CompareTotals]: number }, { action }: PhasedAction): void {
  if (action.action === 'place' || action.action === 'check') {
    totals[action.action] += 1;
    totals[`${action.action}Bytes`] += action.line.sizeBytes;
  } else if (action.action === 'moveAside' || action.action === 'remove') {
    totals[action.action] += 1;
  }
}
