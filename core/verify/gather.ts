import type { RankName } from '../ids.ts';
import type { SnapshotRecord } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import { type Amount, addAmounts, NO_AMOUNT, severityOf } from '../verification.ts';
import { type DamagedVersion, isDamagedVersion, MOST_LOOKED_UP } from './hurt.ts';
import type { Hurt } from './new-state.ts';
import { addCounts, inWords, type KindCounts, kindsOf, type Sighting } from './sightings.ts';
import { unitId } from './units.ts';
import type { ReadWindow, UnitAnswer } from './verify-plan.ts';

/** What each snapshot promises, ISO 8601; without Object Lock nothing. */
export type Promises = ReadonlyMap<string, string | undefined>;

export function promisesBySnapshot(records: readonly SnapshotRecord[]): Promises {
  return new Map(records.map(({ snapshot, lock }) => [snapshot, lock?.promisedUntil]));
}

/** A version that is free too early for one snapshot is locked for long enough for another. */
export function hurts({ kind, lockedUntil, path }: Sighting, promisedUntil: string | undefined): boolean {
  if (kind !== 'LockEndsEarly' || path === undefined) {
    return true;
  }
  const promised = epochMillisOfIso(promisedUntil ?? '');
  return promised !== undefined && (epochMillisOfIso(lockedUntil ?? '') ?? 0) < promised;
}

/** Damage of one directory in one rank, as the manifest of one snapshot showed it. */
export interface DamagedDirectory {
  readonly snapshot: string;
  readonly rank: RankName;
  readonly in: string;
  readonly kinds: KindCounts;
}

/** Sums up what the workers saw. Memory holds counts, and so many versions as are looked up one by one. */
export class Gathering {
  readonly hurt = new Map<string, Hurt>();
  /** What was found, each object once. */
  counts: KindCounts = {};
  checked: Amount = NO_AMOUNT;
  readonly versions: DamagedVersion[] = [];
  /** There are more damaged versions than `versions` has: `directories` has all of them. */
  overflow = false;
  /** Units in which damage or risk was seen, whoever suffers from it. */
  readonly damagedUnits = new Set<string>();
  readonly #directories = new Map<string, DamagedDirectory>();
  readonly #overflown = new Set<string>();
  readonly #promises: Promises;

  constructor(promises: Promises) {
    this.#promises = promises;
  }

  get directories(): readonly DamagedDirectory[] {
    return [...this.#directories.values()];
  }

  /** A finding by itself: of a record, a list of ranks, a part that was read, a drill. */
  add(sighting: Sighting): void {
    if (hurts(sighting, this.#promises.get(sighting.snapshot))) {
      this.addHurt(sighting.snapshot, sighting);
      this.count(sighting);
    }
    this.#remember(sighting);
  }

  addBatch({ parts, bytes, sightings }: ReadWindow): void {
    this.checked = addAmounts(this.checked, { parts, bytes });
    for (const sighting of sightings) {
      this.add(sighting);
      const { snapshot, rank } = sighting;
      if (rank !== undefined && severityOf(sighting.kind) !== 'note') {
        this.damagedUnits.add(unitId({ snapshot, rank }));
      }
    }
  }

  /** Counts of a unit; of what goes beyond its lines nobody knows the directory. */
  addUnit({ unit, sighted }: UnitAnswer): void {
    const { snapshot, rank } = unit;
    this.counts = addCounts(this.counts, sighted.counts);
    this.#hurtMore(snapshot, sighted.counts, '');
    if (kindsOf(sighted.counts).some((kind) => severityOf(kind) !== 'note')) {
      this.damagedUnits.add(unitId(unit));
    }
    const counted = kindsOf(sighted.counts).reduce((sum, kind) => sum + (sighted.counts[kind] ?? 0), 0);
    if (counted > sighted.lines) {
      this.overflow = true;
      this.#overflown.add(unitId(unit));
      for (const directory of unit.ins) {
        this.#addDirectory({ snapshot, rank, in: directory, kinds: sighted.counts });
      }
    }
  }

  /** A line of a unit, which is counted already. */
  addUnitLine(sighting: Sighting): void {
    this.#hurtMore(sighting.snapshot, {}, sighting.kind === 'ExtraObject' ? '' : inWords(sighting));
    this.#remember(sighting);
  }

  addHurt(snapshot: string, sighting: Sighting): void {
    this.#hurtMore(snapshot, { [sighting.kind]: 1 }, sighting.kind === 'ExtraObject' ? '' : inWords(sighting));
  }

  count({ kind }: Sighting): void {
    this.counts = addCounts(this.counts, { [kind]: 1 });
  }

  #hurtMore(snapshot: string, kinds: KindCounts, example: string): void {
    const known = this.hurt.get(snapshot);
    const first = known === undefined || known.example === '' ? example : known.example;
    if (known !== undefined || kindsOf(kinds).length > 0) {
      this.hurt.set(snapshot, { kinds: addCounts(known?.kinds ?? {}, kinds), example: first });
    }
  }

  #remember(sighting: Sighting): void {
    if (!isDamagedVersion(sighting)) {
      return;
    }
    const { snapshot, rank, kind } = sighting;
    if (!this.#overflown.has(unitId({ snapshot, rank }))) {
      this.#addDirectory({ snapshot, rank, in: sighting.in, kinds: { [kind]: 1 } });
    }
    if (this.versions.length < MOST_LOOKED_UP) {
      this.versions.push(sighting);
    } else {
      this.overflow = true;
    }
  }

  #addDirectory(more: DamagedDirectory): void {
    const name = `${more.snapshot}\n${more.rank}\n${more.in}`;
    const known = this.#directories.get(name);
    this.#directories.set(name, { ...more, kinds: addCounts(known?.kinds ?? {}, more.kinds) });
  }
}
