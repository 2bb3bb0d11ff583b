import { pMapIterable } from 'p-map';
import type { ObjectStore } from '../ports/object-store.ts';
import type { MaintainRun } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { compareUtf8 } from '../utf8-order.ts';
import type { RunKeys } from '../work-layout.ts';
import { addRefused, deletedBatchKey, deletedBatchSchema, later, NOTHING_REFUSED, type Refused } from './deletions.ts';
import { LaterSums } from './later-sums.ts';
import type { SweepPlan } from './plan.ts';
import { type RecordsRemoved, readRecordsRemoved } from './records-removal.ts';
import type { MaintenanceReport } from './report.ts';
import { batchesOfSurvey, NOTHING_SURVEYED, type OpenTotals, type SurveyTotals } from './survey.ts';
import { isRefused, type SurveyedUnit, surveyedUnits } from './surveyed-units.ts';

interface OutcomeReader {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/** What is left of a dead directory. */
export interface Leftover {
  readonly backup: string;
  readonly directory: string;
  readonly residueParts: number;
  readonly locked: boolean;
  readonly lockedUntil: string | undefined;
}

export interface Outcome {
  /** Of all surveys. */
  readonly totals: SurveyTotals;
  readonly report: Pick<MaintenanceReport, 'frees' | 'residue' | 'locked' | 'later' | 'catalogObjects' | 'markers'>;
  /** Lists and manifests that could not be read, so that `later` lacks what they name. */
  readonly unforeseen: number;
  /** Of every dead directory that was swept. */
  readonly leftovers: readonly Leftover[];
}

/** Results of batches that are read ahead, whichever units they are of. */
const READ_AHEAD = 32;

/** Sums what the surveys found and the deletions did; of a dry run what they would do, as far as S3 does not refuse. */
export async function readOutcome(reader: OutcomeReader, run: MaintainRun, plan: SweepPlan): Promise<Outcome> {
  const removed = await readRecordsRemoved(reader.work, reader.keys);
  const sums = new Sums(plan, removed);
  for await (const { surveyed, refused } of refusedUnits(reader, run)) {
    sums.add(surveyed, refused);
  }
  return sums.outcome();
}

interface RefusedUnit {
  readonly surveyed: SurveyedUnit;
  readonly refused: Refused;
}

/** What S3 refused of each unit, in the order of the units. */
async function* refusedUnits(reader: OutcomeReader, run: MaintainRun): AsyncGenerator<RefusedUnit> {
  let last: RefusedUnit | undefined;
  const read = async ({ surveyed, batch }: UnitBatch): Promise<RefusedUnit> => ({
    surveyed,
    refused: batch === undefined ? NOTHING_REFUSED : await readRefused(reader, batch),
  });
  const found = pMapIterable(batchesOfUnits(reader, run), read, { concurrency: READ_AHEAD, backpressure: READ_AHEAD });
  for await (const each of found) {
    if (last !== undefined && last.surveyed !== each.surveyed) {
      yield last;
      last = undefined;
    }
    last = { ...each, refused: addRefused(last?.refused ?? NOTHING_REFUSED, each.refused) };
  }
  yield* last === undefined ? [] : [last];
}

interface UnitBatch {
  readonly surveyed: SurveyedUnit;
  /** Undefined: a unit without any, or one whose batches nobody has to ask for. */
  readonly batch: string | undefined;
}

async function* batchesOfUnits(reader: OutcomeReader, run: MaintainRun): AsyncGenerator<UnitBatch> {
  for await (const surveyed of surveyedUnits(reader, run)) {
    const batches = run.dryRun ? [] : batchesOfSurvey(surveyed.unit, surveyed.surveyed);
    for (const batch of batches.length === 0 ? [undefined] : batches) {
      yield { surveyed, batch };
    }
  }
}

/** Batches that were never to be deleted have no result. */
async function readRefused({ work, keys }: OutcomeReader, batch: string): Promise<Refused> {
  const result = await readJson(work, deletedBatchKey(keys, batch), deletedBatchSchema);
  return result?.value.refused ?? NOTHING_REFUSED;
}

class Sums {
  readonly #plan: SweepPlan;
  readonly #removed: RecordsRemoved | undefined;
  readonly #totals: OpenTotals = { ...NOTHING_SURVEYED };
  readonly #residue = { parts: 0, bytes: 0 };
  /** Free, and left: locked by date, or refused. */
  #left: Refused = NOTHING_REFUSED;
  readonly #leftovers = new Map<string, { residueParts: number; locked: boolean; lockedUntil: string | undefined }>();
  /** Until when a directory is locked, or its record refused, dead or not. */
  readonly #until = new Map<string, string | undefined>();
  readonly #later: LaterSums;

  constructor(plan: SweepPlan, removed: RecordsRemoved | undefined) {
    this.#plan = plan;
    this.#removed = removed;
    this.#later = new LaterSums(plan.foreseen);
    for (const { backup, directory, dead, lockedUntil } of plan.directories) {
      const refused = removed?.refused.find((each) => each.backup === backup && each.directory === directory);
      const until = later(lockedUntil, refused?.until);
      const locked = lockedUntil !== undefined || refused !== undefined;
      this.#until.set(`${backup}/${directory}`, until);
      if (dead) {
        this.#leftovers.set(`${backup}/${directory}`, { residueParts: 0, locked, lockedUntil: until });
      }
    }
  }

  add({ unit, surveyed }: SurveyedUnit, refused: Refused): void {
    const { totals } = surveyed;
    if (unit.task === 'foresee') {
      this.#totals.listed += totals.listed;
      this.#totals.manifests += totals.manifests;
      this.#later.add(unit, totals);
      return;
    }
    addTo(this.#totals, totals);
    const whole = isRefused(this.#removed, unit) || unit.lockedUntil !== undefined;
    const left = whole ? this.#allOf(unit, totals) : refused;
    this.#left = addRefused(this.#left, left);
    const leftover = this.#leftovers.get(`${unit.backup}/${unit.directory}`);
    if (leftover !== undefined) {
      this.#residue.parts += totals.namedParts;
      this.#residue.bytes += totals.namedBytes;
      leftover.residueParts += totals.namedParts;
      leftover.locked ||= left.parts + left.markers + left.catalogObjects > 0;
      leftover.lockedUntil = later(leftover.lockedUntil, left.until);
    }
  }

  outcome(): Outcome {
    const { freeParts, freeBytes, catalogObjects, markers } = this.#totals;
    const { until, ...left } = this.#left;
    const ahead = this.#later.report();
    return {
      totals: this.#totals,
      unforeseen: this.#later.unread,
      report: {
        frees: { parts: freeParts - left.parts, bytes: freeBytes - left.bytes },
        residue: { ...this.#residue, for: this.#namers() },
        locked: { parts: left.parts, bytes: left.bytes, ...(until === undefined ? {} : { until }) },
        ...(ahead === undefined ? {} : { later: ahead }),
        catalogObjects: catalogObjects - left.catalogObjects,
        markers: markers - left.markers,
      },
      leftovers: this.#plan.directories.flatMap(({ backup, directory }) => {
        const leftover = this.#leftovers.get(`${backup}/${directory}`);
        return leftover === undefined ? [] : [{ backup, directory, ...leftover }];
      }),
    };
  }

  #allOf({ backup, directory }: SurveyedUnit['unit'], totals: SurveyTotals): Refused {
    const { freeParts: parts, freeBytes: bytes, markers, catalogObjects } = totals;
    const empty = parts + markers + catalogObjects === 0;
    const until = empty ? undefined : this.#until.get(`${backup}/${directory}`);
    return { parts, bytes, markers, catalogObjects, until };
  }

  /** Decisive snapshots of those dead directories of which something stays. */
  #namers(): string[] {
    const named = this.#plan.directories.filter(
      ({ backup, directory }) => (this.#leftovers.get(`${backup}/${directory}`)?.residueParts ?? 0) > 0,
    );
    return [...new Set(named.flatMap(({ referrers }) => referrers))].sort(compareUtf8);
  }
}

function addTo(sum: OpenTotals, more: SurveyTotals): void {
  sum.listed += more.listed;
  sum.freeParts += more.freeParts;
  sum.freeBytes += more.freeBytes;
  sum.markers += more.markers;
  sum.catalogObjects += more.catalogObjects;
  sum.namedParts += more.namedParts;
  sum.namedBytes += more.namedBytes;
  sum.overlaid += more.overlaid;
  sum.doubtful += more.doubtful;
  sum.unreadable += more.unreadable;
  sum.manifests += more.manifests;
}
