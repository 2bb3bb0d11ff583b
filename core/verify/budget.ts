import * as z from 'zod/mini';
import type { ReadBudget } from '../config/schema.ts';
import type { ReadingPrice } from '../pricing.ts';
import type { Amount } from '../verification.ts';
import { NEVER_LOOKED_AT, type UnitHistory } from './read-slices.ts';
import { type Unit, unitId } from './units.ts';

/** What may still be read; the first limit that is met counts. */
export const purseSchema = z.object({
  parts: z.optional(z.int()),
  bytes: z.optional(z.int()),
  dollars: z.optional(z.number()),
  price: z.object({ perPart: z.number(), perByte: z.number() }),
  /** One part is read whatever it costs: else a part above the budget would never be read. */
  oneAnyway: z.optional(z.literal(true)),
});
export type Purse = z.infer<typeof purseSchema>;

export function purseOf(budget: ReadBudget, price: ReadingPrice): Purse {
  return { ...budget, price };
}

/** @returns what is left, or undefined when the purse does not have that much */
export function spend(purse: Purse, amount: Amount): Purse | undefined {
  const { perPart, perByte } = purse.price;
  const left = {
    parts: minus(purse.parts, amount.parts),
    bytes: minus(purse.bytes, amount.bytes),
    dollars: minus(purse.dollars, amount.parts * perPart + amount.bytes * perByte),
  };
  const isShort = Object.values(left).some((each) => each !== undefined && each < 0);
  return isShort && !(purse.oneAnyway === true && amount.parts === 1)
    ? undefined
    : { ...floored(left), price: purse.price };
}

function minus(have: number | undefined, take: number): number | undefined {
  return have === undefined ? undefined : have - take;
}

function floored(left: Record<'parts' | 'bytes' | 'dollars', number | undefined>): Omit<Purse, 'price'> {
  return {
    ...(left.parts === undefined ? {} : { parts: Math.max(0, left.parts) }),
    ...(left.bytes === undefined ? {} : { bytes: Math.max(0, left.bytes) }),
    ...(left.dollars === undefined ? {} : { dollars: Math.max(0, left.dollars) }),
  };
}

export type Histories = ReadonlyMap<string, UnitHistory>;

/**
 * Those first that were never read to the end, oldest snapshot first; then those whose last round began longest ago.
 * @param units oldest snapshot first
 * @param postponed snapshots whose catalog is known to be broken: they come last, so that what cannot be read keeps nothing else from
 * being read
 */
export function orderUnits(
  units: readonly Unit[],
  histories: Histories,
  postponed: ReadonlySet<string>,
): readonly Unit[] {
  const since = (unit: Unit) => histories.get(unitId(unit))?.round?.at ?? '';
  const last = (unit: Unit) => (postponed.has(unit.snapshot) ? 1 : 0);
  const before = (left: string, right: string) => (left === right ? 0 : left < right ? -1 : 1);
  return units
    .filter((unit) => unit.parts > 0)
    .sort((left, right) => last(left) - last(right) || before(since(left), since(right)));
}

/** A unit, where to go on in it, and how far. */
export interface UnitSlice {
  readonly unit: Unit;
  readonly after: string | undefined;
  /** @default - to the end */
  readonly purse: Purse | undefined;
}

/** Takes units in their order until the purse is empty; the last one may be cut. None is taken twice. */
export function chooseSlices(ordered: readonly Unit[], histories: Histories, purse: Purse): readonly UnitSlice[] {
  const slices: UnitSlice[] = [];
  let left = purse;
  for (const unit of ordered) {
    const { after, open } = histories.get(unitId(unit)) ?? NEVER_LOOKED_AT;
    const rest = { parts: Math.max(0, unit.parts - open.parts), bytes: Math.max(0, unit.bytes - open.bytes) };
    const next = spend(left, rest);
    if (next === undefined) {
      const isFirst = slices.length === 0;
      return isFirst || left.parts !== 0
        ? [...slices, { unit, after, purse: isFirst ? { ...left, oneAnyway: true } : left }]
        : slices;
    }
    slices.push({ unit, after, purse: undefined });
    left = next;
  }
  return slices;
}
