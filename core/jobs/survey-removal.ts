import * as z from 'zod/mini';
import { CatalogCorrupt } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { catalogVersions } from '../maintain/catalog-versions.ts';
import { isGathering } from '../maintain/gathering.ts';
import {
  type Judged,
  judgeBesideLive,
  judgeForesight,
  judgeForRemoval,
  judgeForRepair,
} from '../maintain/removal-join.ts';
import { RemovalWriter } from '../maintain/removals.ts';
import {
  NOTHING_SURVEYED,
  type OpenTotals,
  type SurveyPiece,
  surveyedKey,
  surveyPieceSchema,
  surveyTotalsSchema,
  tally,
} from '../maintain/survey.ts';
import { gatheredNamesSchema, gatheredOf, manifestsOf, type Named, openNamed } from '../maintain/survey-names.ts';
import { CATALOG_PART, type Unit, type UnitItem, unitName } from '../maintain/units.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ListedVersion, VaultVersions } from '../ports/vault-versions.ts';
import type { MaintainRun } from '../run.ts';
import { createJson } from '../stored-json.ts';
import { recordKey, snapshotPrefix } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';

/** Where the next invocation goes on; travels in the state of the unit's child execution. */
export const surveyProgressSchema = z.object({
  done: z.boolean(),
  /** The last key that was looked at. */
  after: z.optional(z.string()),
  pieces: z.optional(z.array(surveyPieceSchema)),
  totals: z.optional(surveyTotalsSchema),
  ...gatheredNamesSchema.shape,
});
export type SurveyProgress = z.infer<typeof surveyProgressSchema>;

export interface SurveyDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

export interface SurveyRequest {
  readonly run: Pick<MaintainRun, 'dryRun'>;
  readonly item: UnitItem;
  readonly progress: SurveyProgress;
  /** Unique to this invocation. */
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

/**
 * Joins a listing of all versions with what the decisive manifests name, and writes what can be deleted into batches. Reads the vault
 * only: a dry run does it too. Out of time, it answers where to go on; done, it writes the record of the unit once: of two
 * invocations that finish, the first one counts.
 * @throws CatalogCorrupt when it is not known what stays
 */
export async function surveyRemoval(deps: SurveyDependencies, request: SurveyRequest): Promise<SurveyProgress> {
  const { unit } = request.item;
  const key = surveyedKey(deps.keys, unit);
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  try {
    return await survey(deps, request, key);
  } catch (error) {
    // Nothing is deleted by what is foreseen, so that what cannot be read need not stop anything.
    if (unit.task !== 'foresee' || !(error instanceof CatalogCorrupt)) {
      throw error;
    }
    const totals = { ...NOTHING_SURVEYED, unreadable: 1 };
    await createJson(deps.work, key, { formatVersion: FORMAT_VERSION, pieces: [], totals });
    return { done: true };
  }
}

async function survey(deps: SurveyDependencies, request: SurveyRequest, key: string): Promise<SurveyProgress> {
  const { progress } = request;
  const named = await openNamed(deps, { ...request, unit: request.item.unit });
  const gathering = [named.staying, named.leaving].filter((each) => isGathering(each));
  for (const each of gathering) {
    if (!(await each.gather())) {
      return { ...progress, done: false, ...(await gatheredOf(named)) };
    }
  }
  const walked = await walk(deps, request, named);
  const pieces = [...(progress.pieces ?? []), walked.piece];
  if (walked.stoppedAfter !== undefined) {
    const gathered = await gatheredOf(named);
    return { done: false, after: walked.stoppedAfter, pieces, totals: walked.totals, ...gathered };
  }
  await createJson(deps.work, key, { formatVersion: FORMAT_VERSION, pieces, totals: walked.totals });
  return { done: true };
}

interface Walked {
  readonly piece: SurveyPiece;
  readonly totals: OpenTotals;
  readonly stoppedAfter: string | undefined;
}

async function walk(deps: SurveyDependencies, request: SurveyRequest, named: Named): Promise<Walked> {
  const { unit } = request.item;
  const { invocation: id, progress } = request;
  const writer = new RemovalWriter(deps.work, (batch) =>
    deps.keys.unitPiece('survey', unitName(unit), `${id}-${batch}`),
  );
  const totals: OpenTotals = { ...(progress.totals ?? NOTHING_SURVEYED) };
  // Once a unit: later invocations have something to go on from.
  totals.manifests += progress.after === undefined ? manifestsOf(unit, named) : 0;
  let stoppedAfter: string | undefined;
  try {
    stoppedAfter = await judgeAll(deps, request, { named, totals, writer });
  } catch (error) {
    // A damaged manifest must not keep the others from being repaired: markers are taken off only where a version is named.
    if (unit.task !== 'repair' || !(error instanceof CatalogCorrupt)) {
      throw error;
    }
    totals.unreadable += 1;
  } finally {
    await named.staying.close();
    await named.leaving?.close();
  }
  return { piece: { id, batches: await writer.close() }, totals, stoppedAfter };
}

interface Walking {
  readonly named: Named;
  readonly totals: OpenTotals;
  readonly writer: RemovalWriter;
}

/** @returns the last key that was looked at when time ran out; a key is looked at whole, or not at all */
async function judgeAll(
  deps: SurveyDependencies,
  request: SurveyRequest,
  { named, totals, writer }: Walking,
): Promise<string | undefined> {
  const { unit } = request.item;
  let last: string | undefined;
  for await (const judged of judge(unit, listed(deps, unit, request.progress.after), named)) {
    const { key } = judged.version;
    if (last !== undefined && last !== key && request.shouldStop()) {
      return last;
    }
    const removal = tally(totals, unit, judged);
    if (removal !== undefined && isDeleted(request, key)) {
      await writer.write(removal);
    }
    last = key;
  }
  return undefined;
}

function judge(
  { task, dead }: Unit,
  versions: AsyncIterable<ListedVersion>,
  { staying, leaving }: Named,
): AsyncGenerator<Judged> {
  switch (task) {
    case 'repair':
      return judgeForRepair(versions, staying);
    case 'foresee':
      return judgeForesight(versions, staying, leaving);
    case 'free':
      return dead ? judgeForRemoval(versions, staying) : judgeBesideLive(versions, staying);
    default:
      return task satisfies never;
  }
}

function listed({ versions }: SurveyDependencies, unit: Unit, after: string | undefined): AsyncIterable<ListedVersion> {
  return unit.part === CATALOG_PART
    ? catalogVersions(versions, unit, after)
    : versions.listVersions(`${snapshotPrefix(unit.backup, unit.directory)}${unit.part}/`, after);
}

/** What is locked is counted alone. Records are not left to the batches: PlanDeletions deletes them before anything else goes. */
function isDeleted({ run, item: { unit } }: SurveyRequest, key: string): boolean {
  const isRecord = unit.task === 'free' && key === recordKey(unit.backup, unit.directory);
  return !run.dryRun && unit.lockedUntil === undefined && !isRecord;
}
