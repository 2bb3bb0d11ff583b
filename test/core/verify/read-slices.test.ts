import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyOf, lookedAtSince, type PastSlice, speaksFor } from '../../../core/verify/read-slices.ts';
import type { Unit } from '../../../core/verify/units.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT } from '../../support/sample-lines.ts';

const DAY = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);
const iso = (day: number) => new Date(BEGIN + day * DAY).toISOString();

/** Part `n` has `n + 1` bytes; paths sort as numbers do. */
const pathOf = (part: number) => `p${String(part).padStart(3, '0')}`;
const unitOf = (parts: number): Unit => ({
  snapshot: FIRST_SNAPSHOT,
  rank: 0,
  ins: [FIRST_SNAPSHOT],
  parts,
  bytes: (parts * (parts + 1)) / 2,
});

/** One night reads from `from` on, at most `count` parts. */
function slice(parts: number, read: { from: number; count: number; day: number; number: number }): PastSlice {
  const { from, count, day, number } = read;
  const end = Math.min(parts, from + count);
  const bytes = Array.from({ length: end - from }, (_, index) => from + index + 1).reduce((sum, each) => sum + each, 0);
  return {
    verification: `v${String(number).padStart(4, '0')}`,
    heldAgainst: new Set(),
    snapshot: FIRST_SNAPSHOT,
    rank: 0,
    ins: [FIRST_SNAPSHOT],
    ...(from === 0 ? {} : { after: pathOf(from - 1) }),
    ...(end === from ? {} : { through: pathOf(end - 1) }),
    complete: end === parts,
    parts: end - from,
    bytes,
    at: iso(day),
  };
}

interface Night {
  readonly days: number;
  readonly count: number;
  /** Somebody reads the whole snapshot beside the nights. */
  readonly wholly: boolean;
}

const night: fc.Arbitrary<Night> = fc.record({
  days: fc.integer({ min: 1, max: 12 }),
  count: fc.integer({ min: 1, max: 9 }),
  wholly: fc.boolean(),
});

describe('what was read of a unit', () => {
  it('is counted as somebody with a list of all parts would count it, whatever the nights read', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(night, { maxLength: 12 }),
        fc.integer({ min: 0, max: 60 }),
        (parts, nights, window) => {
          const unit = unitOf(parts);
          const readOn = new Map<number, number>();
          const slices: PastSlice[] = [];
          let day = 0;
          for (const [number, { days, count, wholly }] of nights.entries()) {
            day += days;
            const { after } = historyOf(slices);
            const from = wholly || after === undefined ? 0 : Number(after.slice(1)) + 1;
            const read = slice(parts, { from, count: wholly ? parts : count, day, number });
            slices.push(read);
            for (let part = from; part < from + read.parts; part += 1) {
              readOn.set(part, day);
            }
          }
          const since = day - window;
          const within = [...readOn].filter(([, on]) => on >= since).map(([part]) => part);
          expect(lookedAtSince(unit, slices, iso(since))).toEqual({
            parts: within.length,
            bytes: within.reduce((sum, part) => sum + part + 1, 0),
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('goes on where the night before stopped, and begins anew when everything was read', () => {
    const first = slice(5, { from: 0, count: 2, day: 0, number: 0 });
    expect(historyOf([first])).toEqual({ after: 'p001', open: { parts: 2, bytes: 3 }, round: undefined });
    const second = slice(5, { from: 2, count: 9, day: 1, number: 1 });
    expect(historyOf([first, second])).toEqual({
      after: undefined,
      open: { parts: 0, bytes: 0 },
      round: { verification: 'v0000', at: iso(0), whole: true },
    });
    const third = slice(5, { from: 0, count: 1, day: 2, number: 2 });
    expect(historyOf([first, second, third])).toMatchObject({ after: 'p000', round: { verification: 'v0000' } });
  });

  it('was never read without slices', () => {
    expect(historyOf([])).toEqual({ after: undefined, open: { parts: 0, bytes: 0 }, round: undefined });
    expect(lookedAtSince(unitOf(3), [], iso(0))).toEqual({ parts: 0, bytes: 0 });
  });

  it('is no round when slices do not follow one another, and counts the newest alone', () => {
    const lost = [
      slice(6, { from: 0, count: 2, day: 0, number: 0 }),
      slice(6, { from: 4, count: 2, day: 2, number: 2 }),
    ];
    expect(historyOf(lost).round).toBeUndefined();
    expect(lookedAtSince(unitOf(6), lost, iso(0)).parts).toBe(2);
  });

  it('does not count twice what two runs read at the same time', () => {
    const twice = [1, 2].map((number) => slice(6, { from: 0, count: 2, day: 0, number }));
    expect(lookedAtSince(unitOf(6), twice, iso(0)).parts).toBe(2);
  });

  it('is not whole when a part was too large to be read', () => {
    const read = { ...slice(2, { from: 0, count: 2, day: 0, number: 0 }), tooLarge: 1 };
    expect(historyOf([read]).round).toMatchObject({ whole: false });
  });
});

describe('a slice speaks for a unit', () => {
  const whole = slice(3, { from: 0, count: 3, day: 0, number: 0 });
  const unit = unitOf(3);
  const both = [FIRST_SNAPSHOT, SECOND_SNAPSHOT];

  it('of the same directories', () => {
    expect(speaksFor(whole, unit)).toBe(true);
    expect(speaksFor({ ...whole, ins: both }, { ...unit, ins: both.toReversed() })).toBe(true);
  });

  it('of more directories only from the first part to the last', () => {
    expect(speaksFor({ ...whole, ins: both }, unit)).toBe(true);
    expect(speaksFor({ ...whole, ins: both, complete: false }, unit)).toBe(false);
    expect(speaksFor({ ...whole, ins: both, after: 'p000' }, unit)).toBe(false);
  });

  it('never when the unit has more to look at by now', () => {
    expect(speaksFor(whole, { ...unit, ins: both })).toBe(false);
  });
});
