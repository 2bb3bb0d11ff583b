import { pMapIterable } from 'p-map';
import { RecordMissing } from '../errors.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { MaintainRun } from '../run.ts';
import type { RunKeys } from '../work-layout.ts';
import { readPlainLines } from './plain-lines.ts';
import type { RecordsRemoved } from './records-removal.ts';
import { readSurveyed, type Surveyed, surveyedKey } from './survey.ts';
import { type Unit, type UnitItem, unitItemSchema } from './units.ts';

export interface SurveyedUnit {
  readonly unit: Unit;
  readonly surveyed: Surveyed;
}

interface UnitReader {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/** Unit records that are read ahead. */
const READ_AHEAD = 32;

/**
 * The units of a run and what their surveys found, in the order of the units.
 * @throws RecordMissing when a unit was not surveyed
 */
export async function* surveyedUnits(
  reader: UnitReader,
  run: Pick<MaintainRun, 'unitsKey' | 'units'>,
): AsyncGenerator<SurveyedUnit> {
  if (run.units === 0) {
    return;
  }
  const items = readPlainLines(reader.work, run.unitsKey, unitItemSchema);
  const read = ({ unit }: UnitItem) => readUnit(reader, unit);
  yield* pMapIterable(items, read, { concurrency: READ_AHEAD, backpressure: READ_AHEAD });
}

async function readUnit({ work, keys }: UnitReader, unit: Unit): Promise<SurveyedUnit> {
  const key = surveyedKey(keys, unit);
  const surveyed = await readSurveyed(work, key);
  if (surveyed === undefined) {
    throw new RecordMissing(`${key} is missing: the directory was not surveyed.`, {
      hint: 'Start the maintenance again.',
    });
  }
  return { unit, surveyed };
}

/** The record could not be deleted: then everything else of the directory stays too. */
export function isRefused(removed: RecordsRemoved | undefined, { backup, directory, dead }: Unit): boolean {
  return dead && removed?.refused.some((each) => each.backup === backup && each.directory === directory) === true;
}
