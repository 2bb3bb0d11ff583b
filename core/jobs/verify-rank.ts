import * as z from 'zod/mini';
import { RecordMissing } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { after } from '../ordered-join.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { RankLine } from '../records.ts';
import { createJson } from '../stored-json.ts';
import { manifestKey, ranksKey } from '../vault-layout.ts';
import { CarriedLines } from '../verify/carried-lines.ts';
import { brokenDigest, type RankPlace, readableManifest, readableRanks } from '../verify/committed-manifest.ts';
import { lookPresent } from '../verify/look-present.ts';
import { lookRead, ReadBatches } from '../verify/look-read.ts';
import { isManifestBroken, NOTHING_WALKED, type RankWalk, type WalkEnd, walkedSchema } from '../verify/rank-walk.ts';
import { SightingLog } from '../verify/sightings.ts';
import { unitId } from '../verify/units.ts';
import {
  LOOK,
  type PlannedSnapshot,
  SIGHTED,
  type UnitAnswer,
  type UnitItem,
  type VerifyPlan,
} from '../verify/verify-plan.ts';
import type { RunKeys } from '../work-layout.ts';

/** Where the next invocation goes on; travels in the state of the unit's child execution. */
export const verifyRankProgressSchema = z.object({
  done: z.boolean(),
  after: z.optional(z.string()),
  walked: z.optional(walkedSchema),
});
export type VerifyRankProgress = z.infer<typeof verifyRankProgressSchema>;

export interface VerifyRankDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

export interface VerifyRankRequest {
  readonly plan: VerifyPlan;
  readonly item: UnitItem;
  readonly progress: VerifyRankProgress;
  /** Unique to this invocation. */
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

/**
 * Looks at one rank of one snapshot: its manifest's digest, and then what the level is about. `present` joins the lines with listings of
 * all versions; `read` writes batches of parts that are to be read. What is wrong is written down, not thrown; of two invocations that
 * finish, the first one counts.
 * @throws FormatTooNew, StoreUnavailable, RecordMissing
 */
export async function verifyRank(
  deps: VerifyRankDependencies,
  request: VerifyRankRequest,
): Promise<VerifyRankProgress> {
  const { unit } = request.item;
  const key = deps.keys.unit(LOOK, unitId(unit));
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  const { invocation, progress } = request;
  const log = new SightingLog((progress.walked ?? NOTHING_WALKED).sighted);
  const end = await walk(deps, request, log);
  const piece = deps.keys.unitPiece(SIGHTED, unitId(unit), invocation);
  const sighted = await log.close(deps.work, { name: invocation, key: piece });
  if (end.stoppedAfter !== undefined) {
    return { done: false, after: end.stoppedAfter, walked: { ...end.walked, sighted } };
  }
  const { looked, tooLarge, through, pieces } = end.walked;
  const answer: UnitAnswer = {
    formatVersion: FORMAT_VERSION,
    unit,
    ...(through === undefined ? {} : { through }),
    complete: end.enough !== true && !isManifestBroken(log),
    looked,
    tooLarge,
    sighted,
    pieces,
  };
  await createJson(deps.work, key, answer);
  return { done: true };
}

async function walk(deps: VerifyRankDependencies, request: VerifyRankRequest, log: SightingLog): Promise<WalkEnd> {
  const { plan, item, progress } = request;
  const { unit } = item;
  const rules = rulesOf(plan, unit);
  const place = { backup: plan.run.backup, snapshot: unit.snapshot, rank: unit.rank };
  const before = progress.walked ?? NOTHING_WALKED;
  const line = await rankLine(deps.vault, place);
  if (line === undefined) {
    const key = ranksKey(place.backup, place.snapshot);
    log.add({ ...brokenCatalog(place, `${key} does not list rank ${place.rank} any more.`), key });
    return { walked: before };
  }
  if (progress.walked === undefined && (await isLost(deps, { place, line, log }))) {
    return { walked: before };
  }
  const from = progress.after ?? (progress.walked === undefined ? unit.after : undefined);
  const tell = (detail: string) => log.add(brokenCatalog(place, detail));
  const lines = after(readableManifest(deps.vault, place, tell), from);
  const rankWalk: RankWalk = { place, unit, lines, after: from, before, log, shouldStop: request.shouldStop };
  if (plan.run.level !== 'present') {
    return lookRead(rankWalk, new ReadBatches(deps, unit, request.invocation));
  }
  const carried = await openCarried(deps.vault, { plan, unit, line, base: rules.base }, from);
  return lookPresent(rankWalk, deps.versions, { rules, line, carried });
}

/** @returns undefined when nothing is carried that others look at, or the base's manifest is not the one that was committed */
async function openCarried(
  vault: ObjectStore,
  {
    plan,
    unit,
    line,
    base,
  }: {
    readonly plan: VerifyPlan;
    readonly unit: UnitItem['unit'];
    readonly line: RankLine;
    readonly base: string | undefined;
  },
  from: string | undefined,
): Promise<CarriedLines | undefined> {
  const isSound =
    plan.snapshots.some(({ snapshot }) => snapshot === base) &&
    !plan.sightings.some(({ kind, snapshot }) => kind === 'BrokenCatalog' && snapshot === base);
  if (base === undefined || !isSound || line.in.every(({ snapshot }) => unit.ins.includes(snapshot))) {
    return undefined;
  }
  const place = { backup: plan.run.backup, snapshot: base, rank: unit.rank };
  const baseLine = await rankLine(vault, place);
  const key = manifestKey(place.backup, base, unit.rank);
  return baseLine === undefined || (await brokenDigest({ vault }, key, baseLine.sha256)) !== undefined
    ? undefined
    : new CarriedLines(base, (breakOff) => after(readableManifest(vault, place, breakOff), from));
}

function rulesOf(plan: VerifyPlan, unit: UnitItem['unit']): PlannedSnapshot {
  const rules = plan.snapshots.find(({ snapshot }) => snapshot === unit.snapshot);
  if (rules === undefined) {
    throw new RecordMissing(`${unit.snapshot} is not in the plan of this verification.`, {
      hint: 'Start the verification again.',
    });
  }
  return rules;
}

/** What the list of ranks says; whatever is wrong with the list itself was told when the run was planned. */
async function rankLine(vault: ObjectStore, place: RankPlace): Promise<RankLine | undefined> {
  for await (const line of readableRanks(vault, place, () => undefined)) {
    if (line.rank === place.rank) {
      return line;
    }
  }
  return undefined;
}

/** Compares the manifest's digest. @returns true when there is nothing to be read */
async function isLost(
  deps: VerifyRankDependencies,
  { place, line, log }: { readonly place: RankPlace; readonly line: RankLine; readonly log: SightingLog },
): Promise<boolean> {
  const key = manifestKey(place.backup, place.snapshot, place.rank);
  const broken = await brokenDigest(deps, key, line.sha256);
  if (broken !== undefined) {
    log.add(brokenCatalog(place, broken.detail));
  }
  return broken?.lost === true;
}

function brokenCatalog({ backup, snapshot, rank }: RankPlace, detail: string) {
  return { kind: 'BrokenCatalog' as const, snapshot, rank, key: manifestKey(backup, snapshot, rank), detail };
}
