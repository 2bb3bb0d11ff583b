import type * as z from 'zod/mini';
import { FORMAT_VERSION } from '../format.ts';
import { gzipJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { findingsKey, slicesKey } from '../vault-layout.ts';
import type { Finding, findingsHeaderSchema } from '../verification.ts';
import { hurts, type Promises } from './gather.ts';
import type { Slice, slicesHeaderSchema } from './read-slices.ts';
import { MOST_LINES_A_UNIT, type Sighting } from './sightings.ts';
import { unitId } from './units.ts';
import type { UnitAnswer, VerifyPlan } from './verify-plan.ts';

/** Writes what was found, one finding a line. Safe to repeat: what is there is of an earlier try. */
export async function writeFindings(
  vault: ObjectStore,
  plan: VerifyPlan,
  sightings: AsyncIterable<Sighting>,
  promises: Promises,
): Promise<void> {
  const { backup } = plan.run;
  const header: z.infer<typeof findingsHeaderSchema> = { formatVersion: FORMAT_VERSION, backup, id: plan.id };
  await vault.createStream(
    findingsKey(backup, plan.id),
    gzipJsonLines(withHeader(header, findingsOf(sightings, promises))),
  );
}

/** So many lines of a rank of a snapshot as its units write; the counts in the record are of all. */
async function* findingsOf(sightings: AsyncIterable<Sighting>, promises: Promises): AsyncGenerator<Finding> {
  const lines = new Map<string, number>();
  for await (const sighting of sightings) {
    const name = `${sighting.snapshot}\n${sighting.rank ?? ''}`;
    const written = lines.get(name) ?? 0;
    if (written < MOST_LINES_A_UNIT && hurts(sighting, promises.get(sighting.snapshot))) {
      lines.set(name, written + 1);
      yield findingOf(sighting, promises);
    }
  }
}

function findingOf(sighting: Sighting, promises: Promises): Finding {
  const promised = promises.get(sighting.snapshot);
  return sighting.kind === 'LockEndsEarly' && sighting.path !== undefined && promised !== undefined
    ? { ...sighting, detail: `${sighting.detail} The snapshot promises ${promised}.` }
    : sighting;
}

export async function writeSlices(vault: ObjectStore, plan: VerifyPlan, slices: readonly Slice[]): Promise<void> {
  const { backup } = plan.run;
  const header: z.infer<typeof slicesHeaderSchema> = { formatVersion: FORMAT_VERSION, backup, id: plan.id };
  await vault.createStream(slicesKey(backup, plan.id), gzipJsonLines(withHeader(header, each(slices))));
}

/**
 * What the run has looked at; a unit that has not got on leaves none.
 * @param damaged units in which damage or risk was seen
 */
export function slicesOf(
  plan: VerifyPlan,
  answers: readonly UnitAnswer[],
  damaged: ReadonlySet<string>,
): readonly Slice[] {
  return answers.flatMap((answer): Slice[] => {
    const { unit, through, complete, looked, tooLarge } = answer;
    if (!complete && through === undefined) {
      return [];
    }
    return [
      {
        snapshot: unit.snapshot,
        rank: unit.rank,
        ins: unit.ins,
        ...(unit.after === undefined ? {} : { after: unit.after }),
        ...(through === undefined ? {} : { through }),
        complete,
        ...looked,
        ...(tooLarge === 0 ? {} : { tooLarge }),
        ...(damaged.has(unitId(unit)) ? { damaged: true } : {}),
        at: plan.plannedAt,
      },
    ];
  });
}

async function* withHeader(header: unknown, lines: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  yield header;
  yield* lines;
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
