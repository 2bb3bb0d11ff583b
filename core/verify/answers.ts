import pMap, { pMapIterable, pMapSkip } from 'p-map';
import { readWorkLines } from '../draft-io.ts';
import { RecordMissing } from '../errors.ts';
import { parseOrCorrupt } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VerifyRun } from '../run.ts';
import { readJson } from '../stored-json.ts';
import type { RunKeys } from '../work-layout.ts';
import { type Sighting, sightingSchema } from './sightings.ts';
import { unitId } from './units.ts';
import {
  LOOK,
  READ_BATCH,
  type ReadWindow,
  readUnits,
  readWindowSchema,
  SIGHTED,
  type UnitAnswer,
  unitAnswerSchema,
} from './verify-plan.ts';

interface Answered {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/** Records read at a time. */
const READS_AT_A_TIME = 32;

/** What was answered for each unit, in the order of the plan. @throws RecordMissing when a unit was not looked at */
export async function readAnswers({ work, keys }: Answered, run: VerifyRun): Promise<readonly UnitAnswer[]> {
  return pMap(
    await readUnits(work, run),
    async (unit) => {
      const key = keys.unit(LOOK, unitId(unit));
      const stored = await readJson(work, key, unitAnswerSchema);
      if (stored === undefined) {
        throw new RecordMissing(`${key} is missing: the rank was not looked at.`, {
          hint: 'Start the verification again.',
        });
      }
      return stored.value;
    },
    { concurrency: READS_AT_A_TIME },
  );
}

/** Lines that the units wrote; what they only counted is not among them. */
export async function* unitSightings(
  { work, keys }: Answered,
  answers: readonly UnitAnswer[],
): AsyncGenerator<Sighting> {
  for (const { unit, sighted } of answers) {
    for (const piece of sighted.pieces) {
      const key = keys.unitPiece(SIGHTED, unitId(unit), piece);
      for await (const value of readWorkLines(work, key)) {
        yield parseOrCorrupt(sightingSchema, value, key);
      }
    }
  }
}

/** What every batch of a `read` found, in order. Memory holds those that are read ahead. */
export function readBatches({ work, keys }: Answered): AsyncIterable<ReadWindow> {
  return pMapIterable(
    work.list(keys.donePrefix(READ_BATCH)),
    async ({ key }) => (await readJson(work, key, readWindowSchema))?.value ?? pMapSkip,
    { concurrency: READS_AT_A_TIME },
  );
}
