import pMap from 'p-map';
import type { ObjectStore } from '../ports/object-store.ts';
import { type Gathering, hurts, type Promises } from './gather.ts';
import { type DamagedVersion, isTooMuch, type LookUp, lookUp, lookUpsFor } from './hurt.ts';
import { kindsOf, type Sighting } from './sightings.ts';
import type { CatalogTable } from './units.ts';

/** Manifests read at a time. */
const MANIFESTS_AT_A_TIME = 8;

export interface OthersQuestion {
  readonly backup: string;
  readonly table: CatalogTable;
  readonly promises: Promises;
}

/**
 * Finds the other visible snapshots that suffer from what was found, and adds them to the gathering: those whose manifests name one of the
 * damaged versions. With too many to be looked up, all that name bytes of the same directory in that rank count as hurt.
 * @returns what to write down for them
 */
export async function hurtOthers(
  vault: ObjectStore,
  question: OthersQuestion,
  gathering: Gathering,
): Promise<readonly Sighting[]> {
  const lookUps = gathering.overflow ? [] : lookUpsFor(question.table, gathering.versions);
  if (gathering.overflow || isTooMuch(question.table, lookUps)) {
    return hurtByDirectory(question, gathering);
  }
  const found = await pMap(lookUps, (each) => lookUpOne(vault, question, each), { concurrency: MANIFESTS_AT_A_TIME });
  const counted = new Set<DamagedVersion>();
  for (const { original, sighting } of found.flat()) {
    gathering.addHurt(sighting.snapshot, sighting);
    if (!hurts(original, question.promises.get(original.snapshot)) && !counted.has(original)) {
      // Nobody has counted it yet: the snapshot through which it was seen does not suffer from it.
      counted.add(original);
      gathering.count(original);
    }
  }
  return found.flat().map(({ sighting }) => sighting);
}

async function lookUpOne(
  vault: ObjectStore,
  { backup, promises }: OthersQuestion,
  asked: LookUp,
): Promise<readonly { readonly original: DamagedVersion; readonly sighting: Sighting }[]> {
  const { snapshot } = asked;
  const named = await lookUp(vault, backup, asked);
  return named
    .filter((original) => hurts(original, promises.get(snapshot)))
    .map((original) => ({ original, sighting: { ...original, snapshot } }));
}

function hurtByDirectory({ table, promises }: OthersQuestion, gathering: Gathering): readonly Sighting[] {
  const sightings: Sighting[] = [];
  for (const { snapshot, ranks } of table.values()) {
    for (const damaged of gathering.directories.filter((each) => each.snapshot !== snapshot)) {
      const names = ranks.get(damaged.rank)?.some((named) => named.snapshot === damaged.in) === true;
      const kinds = kindsOf(damaged.kinds).filter(
        (kind) => kind !== 'ExtraObject' && (kind !== 'LockEndsEarly' || promises.get(snapshot) !== undefined),
      );
      for (const kind of names ? kinds : []) {
        const detail = `${damaged.kinds[kind]} objects of ${damaged.in} in this rank; it names bytes of that directory, and which of them was not looked up.`;
        sightings.push({ kind, snapshot, rank: damaged.rank, detail });
      }
    }
  }
  for (const sighting of sightings) {
    gathering.addHurt(sighting.snapshot, sighting);
  }
  return sightings;
}
