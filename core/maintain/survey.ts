import * as z from 'zod/mini';
import { formatVersionSchema } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from '../stored-json.ts';
import type { RunKeys } from '../work-layout.ts';
import type { Judged } from './removal-join.ts';
import type { RemovalLine } from './removals.ts';
import { CATALOG_PART, type Unit, unitName } from './units.ts';

const count = z.int().check(z.nonnegative());

export const surveyTotalsSchema = z.object({
  /** Versions and delete markers that were looked at. */
  listed: count,
  freeParts: count,
  freeBytes: count,
  /** Free, or over something that is named. */
  markers: count,
  catalogObjects: count,
  namedParts: count,
  namedBytes: count,
  /** Repair: named versions that lie under another version. */
  overlaid: count,
  /** Beside a live snapshot: versions and delete markers under a key whose named version is missing, or is not the current one. */
  doubtful: count,
  /** Repair and foresight: manifests that cannot be read, so that nobody knows what they name. */
  unreadable: count,
  /** Manifests that were read. */
  manifests: count,
});
export type SurveyTotals = z.infer<typeof surveyTotalsSchema>;
export type OpenTotals = { -readonly [K in keyof SurveyTotals]: number };

export const NOTHING_SURVEYED: SurveyTotals = {
  listed: 0,
  freeParts: 0,
  freeBytes: 0,
  markers: 0,
  catalogObjects: 0,
  namedParts: 0,
  namedBytes: 0,
  overlaid: 0,
  doubtful: 0,
  unreadable: 0,
  manifests: 0,
};

/** Batches written by one invocation are `<piece id>-<number>`, so that a ghost's never mix with ours. */
export const surveyPieceSchema = z.object({ id: z.string(), batches: count });
export type SurveyPiece = z.infer<typeof surveyPieceSchema>;

/** Write-once: the first survey of a unit that is complete is its survey. */
export const surveyedSchema = z.object({
  formatVersion: formatVersionSchema,
  pieces: z.array(surveyPieceSchema),
  totals: surveyTotalsSchema,
});
export type Surveyed = z.infer<typeof surveyedSchema>;

export const surveyedKey = (keys: RunKeys, unit: Unit): string => keys.unit('survey', unitName(unit));

export async function readSurveyed(work: ObjectStore, key: string): Promise<Surveyed | undefined> {
  return (await readJson(work, key, surveyedSchema))?.value;
}

/** `<unit>/<piece>-<number>`: a deletion batch, and the name of its result. */
export function batchesOfSurvey(unit: Unit, { pieces }: Surveyed): readonly string[] {
  return pieces.flatMap(({ id, batches }) =>
    Array.from({ length: batches }, (_, number) => `${unitName(unit)}/${id}-${number}`),
  );
}

/** Where a deletion batch lies in the work bucket. */
export function batchKey(keys: RunKeys, batch: string): string {
  const slash = batch.lastIndexOf('/');
  return keys.unitPiece('survey', batch.slice(0, slash), batch.slice(slash + 1));
}

/** Counts it. @returns what is to be deleted, if anything */
export function tally(totals: OpenTotals, unit: Unit, judged: Judged): RemovalLine | undefined {
  const removal = tallyAny(totals, unit, judged);
  return unit.task === 'foresee' ? undefined : removal;
}

function tallyAny(totals: OpenTotals, unit: Unit, { version, fate }: Judged): RemovalLine | undefined {
  const { key, versionId, sizeBytes, kind } = version;
  totals.listed += 1;
  if (fate === 'named') {
    totals.namedParts += 1;
    totals.namedBytes += sizeBytes;
  } else if (fate === 'overlaid') {
    totals.overlaid += 1;
  } else if (fate === 'doubtful') {
    totals.doubtful += 1;
  } else if (fate === 'marker' || (fate === 'free' && kind === 'deleteMarker' && unit.part !== CATALOG_PART)) {
    totals.markers += 1;
    return { key, versionId, sizeBytes, kind: 'marker' };
  } else if (fate === 'free') {
    return tallyFree(totals, unit, { key, versionId, sizeBytes });
  }
  return undefined;
}

function tallyFree(totals: OpenTotals, unit: Unit, version: Omit<RemovalLine, 'kind'>): RemovalLine {
  if (unit.part === CATALOG_PART) {
    totals.catalogObjects += 1;
    return { ...version, kind: 'catalog' };
  }
  totals.freeParts += 1;
  totals.freeBytes += version.sizeBytes;
  return { ...version, kind: 'part' };
}
