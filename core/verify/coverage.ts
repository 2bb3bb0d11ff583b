import { addAmounts, NO_AMOUNT, type VerifiedState, type VerifyLevel } from '../verification.ts';
import type { SlicesByUnit } from './history.ts';
import type { WholeSince } from './new-state.ts';
import { historyOf, lookedAtSince, type Round } from './read-slices.ts';
import { type CatalogTable, coverersOf, type Unit, unitId } from './units.ts';

type LevelCoverage = VerifiedState['coverage']['read'];

/** Of all that visible snapshots name, what was looked at since then. */
export function coverageSince(units: readonly Unit[], slices: SlicesByUnit, sinceIso: string): LevelCoverage {
  return {
    within30Days: units
      .map((unit) => lookedAtSince(unit, slices.get(unitId(unit)) ?? [], sinceIso))
      .reduce(addAmounts, NO_AMOUNT),
    total: units.map(({ parts, bytes }) => ({ parts, bytes })).reduce(addAmounts, NO_AMOUNT),
  };
}

/**
 * For each snapshot that was looked at wholly: since when. The units that look at its parts are those of several snapshots, and may have taken
 * several nights each; the oldest of their newest rounds counts.
 */
export function wholeSince(
  table: CatalogTable,
  slices: SlicesByUnit,
  level: VerifyLevel,
): ReadonlyMap<string, WholeSince> {
  const rounds = new Map([...slices].map(([id, each]) => [id, historyOf(each).round]));
  const found = new Map<string, WholeSince>();
  for (const entry of table.values()) {
    // A read has nothing to do where there are no bytes; a present has a manifest to look at.
    const units = coverersOf(table, entry, level === 'present').filter(({ parts }) => level === 'present' || parts > 0);
    const oldest = oldestOf(
      units.map((unit) => rounds.get(unitId(unit))),
      entry.snapshot,
    );
    if (oldest !== undefined) {
      found.set(entry.snapshot, { verification: oldest.verification, at: oldest.at });
    }
  }
  return found;
}

function oldestOf(rounds: readonly (Round | undefined)[], snapshot: string): Round | undefined {
  const whole = rounds.filter((round) => round?.whole === true && provesFor(round, snapshot));
  return whole.length < rounds.length
    ? undefined
    : whole.reduce(
        (oldest, round) =>
          oldest === undefined || (round !== undefined && round.verification < oldest.verification) ? round : oldest,
        undefined,
      );
}

/** Damage that was seen on the way says nothing of a snapshot that nobody has held against it. */
function provesFor({ heldAgainst = [] }: Round, snapshot: string): boolean {
  return heldAgainst.every((snapshots) => snapshots.has(snapshot));
}
