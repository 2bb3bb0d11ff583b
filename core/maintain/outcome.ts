import pMap from 'p-map';
import type { ObjectStore } from '../ports/object-store.ts';
import type { MaintainRun } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { compareUtf8 } from '../utf8-order.ts';
import type { RunKeys } from '../work-layout.ts';
import { addRefused, deletedBatchKey, deletedBatchSchema, later, NOTHING_REFUSED, type Refused } from './deletions.ts';
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
  readonly report: Pick<MaintenanceReport, 'frees' | 'residue' | 'locked' | 'catalogObjects' | 'markers'>;
  /** Of every dead directory that was swept. */
  readonly leftovers: readonly Leftover[];
}

const READ_CONCURRENCY = 32;

/** Sums what the surveys found and the deletions did; of a dry run what they would do, as far as S3 does not refuse. */
export async function readOutcome(reader: OutcomeReader, run: MaintainRun, plan: SweepPlan): Promise<Outcome> {
  const removed = await readRecordsRemoved(reader.work, reader.keys);
  const sums = new Sums(plan, removed);
  for await (const surveyed of surveyedUnits(reader, run)) {
    const refused = run.dryRun ? NOTHING_REFUSED : await readRefused(reader, surveyed);
    sums.add(surveyed, refused);
  }
  return sums.outcome();
}

/** Batches that were never to be deleted have no result. */
async function readRefused({ work, keys }: OutcomeReader, { unit, surveyed }: SurveyedUnit): Promise<Refused> {
  const results = await pMap(
    batchesOfSurvey(unit, surveyed),
    (batch) => readJson(work, deletedBatchKey(keys, batch), deletedBatchSchema),
    { concurrency: READ_CONCURRENCY },
  );
  return results.map((result) => result?.value.refused ?? NOTHING_REFUSED).reduce(addRefused, NOTHING_REFUSED);
}

class Sums {
  readonly #plan: SweepPlan;
  readonly #removed: RecordsRemoved | undefined;
  readonly #totals: OpenTotals = { ...NOTHING_SURVEYED };
  readonly #residue = { parts: 0, bytes: 0 };
  /** Free, and left: locked by date, or refused. */
  #left: Refused = NOTHING_REFUSED;
  readonly #leftovers = new Map<string, { residueParts: number; locked: boolean; lockedUntil: string | undefined }>();

  constructor(plan: SweepPlan, removed: RecordsRemoved | undefined) {
    this.#plan = plan;
    this.#removed = removed;
    for (const { backup, directory, lockedUntil } of plan.directories.filter(({ dead }) => dead)) {
      const refused = removed?.refused.find((each) => each.backup === backup && each.directory === directory);
      const until = later(lockedUntil, refused?.until);
      const locked = lockedUntil !== undefined || refused !== undefined;
      this.#leftovers.set(`${backup}/${directory}`, { residueParts: 0, locked, lockedUntil: until });
    }
  }

  add({ unit, surveyed }: SurveyedUnit, refused: Refused): void {
    const { totals } = surveyed;
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
    return {
      totals: this.#totals,
      report: {
        frees: { parts: freeParts - left.parts, bytes: freeBytes - left.bytes },
        residue: { ...this.#residue, for: this.#namers() },
        locked: { parts: left.parts, bytes: left.bytes, ...(until === undefined ? {} : { until }) },
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
    const until = empty ? undefined : this.#untilOf(backup, directory);
    return { parts, bytes, markers, catalogObjects, until };
  }

  #untilOf(backup: string, directory: string): string | undefined {
    const same = (each: { readonly backup: string; readonly directory: string }) =>
      each.backup === backup && each.directory === directory;
    return later(this.#plan.directories.find(same)?.lockedUntil, this.#removed?.refused.find(same)?.until);
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
  sum.unreadable += more.unreadable;
  sum.manifests += more.manifests;
}
