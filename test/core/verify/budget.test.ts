import { describe, expect, it } from 'vitest';
import { PRICES, readingPrice } from '../../../core/pricing.ts';
import { chooseSlices, type Histories, orderUnits, purseOf, spend } from '../../../core/verify/budget.ts';
import { NEVER_LOOKED_AT, type UnitHistory } from '../../../core/verify/read-slices.ts';
import { type Unit, unitId } from '../../../core/verify/units.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT } from '../../support/sample-lines.ts';

const FREE = { perPart: 0, perByte: 0 };

function unit(snapshot: string, rank: number, parts: number): Unit {
  return { snapshot, rank, ins: [snapshot], parts, bytes: 10 * parts };
}

const A = unit(FIRST_SNAPSHOT, 0, 4);
const B = unit(FIRST_SNAPSHOT, 1, 3);
const C = unit(SECOND_SNAPSHOT, 0, 2);
const EMPTY = unit(SECOND_SNAPSHOT, 1, 0);

const round = (at: string): UnitHistory => ({ ...NEVER_LOOKED_AT, round: { verification: at, at, whole: true } });

const histories = (entries: readonly (readonly [Unit, UnitHistory])[]): Histories =>
  new Map(entries.map(([each, history]) => [unitId(each), history]));

describe('the order of reading', () => {
  it('begins with what was never read, oldest snapshot first, and leaves out what has no bytes', () => {
    expect(orderUnits([A, B, C, EMPTY], histories([]), new Set())).toEqual([A, B, C]);
  });

  it('goes on with what was not read for longest', () => {
    const known = histories([
      [A, round('2026-01-03')],
      [B, round('2026-01-02')],
    ]);
    expect(orderUnits([A, B, C], known, new Set())).toEqual([C, B, A]);
  });

  it('leaves what could not be read for the end', () => {
    expect(orderUnits([A, B, C], histories([]), new Set([FIRST_SNAPSHOT]))).toEqual([C, A, B]);
  });
});

describe('a budget', () => {
  const choose = (budget: Parameters<typeof purseOf>[0], known = histories([]), price = FREE) =>
    chooseSlices([A, B, C], known, purseOf(budget, price)).map(({ unit: each, after, purse }) => ({
      unit: each.rank,
      after,
      left: purse,
    }));

  it('of parts takes whole units and cuts the last', () => {
    expect(choose({ parts: 6 })).toEqual([
      { unit: 0, after: undefined, left: undefined },
      { unit: 1, after: undefined, left: { parts: 2, price: FREE } },
    ]);
  });

  it('that fits exactly cuts nothing', () => {
    expect(choose({ parts: 7 }).map(({ left }) => left)).toEqual([undefined, undefined]);
    expect(choose({ parts: 9 }).map(({ left }) => left)).toEqual([undefined, undefined, undefined]);
  });

  it('of bytes cuts by bytes, and of several limits the first that is met counts', () => {
    expect(choose({ bytes: 55 })[1]?.left).toEqual({ bytes: 15, price: FREE });
    expect(choose({ parts: 100, bytes: 55 })[1]?.left).toEqual({ parts: 96, bytes: 15, price: FREE });
    expect(choose({ parts: 5, bytes: 1_000 })[1]?.left).toEqual({ parts: 1, bytes: 960, price: FREE });
  });

  it('of dollars counts requests and bytes', () => {
    const price = { perPart: 1, perByte: 0.1 };
    const [, cut] = choose({ dollars: 11 }, histories([]), price);
    expect(cut?.left?.dollars).toBeCloseTo(3);
    expect(spend({ dollars: 3, price }, { parts: 1, bytes: 10 })?.dollars).toBeCloseTo(1);
    expect(spend({ dollars: 1, price }, { parts: 1, bytes: 10 })).toBeUndefined();
  });

  it('goes on where the last night stopped, and counts only what is left', () => {
    const known = histories([[A, { after: 'x', open: { parts: 3, bytes: 30 }, round: undefined }]]);
    expect(choose({ parts: 4 }, known)).toEqual([
      { unit: 0, after: 'x', left: undefined },
      { unit: 1, after: undefined, left: undefined },
    ]);
  });

  it('that is smaller than the first part reads that part, and nothing else', () => {
    const [slice, ...rest] = choose({ bytes: 1 });
    expect(rest).toEqual([]);
    expect(slice?.left).toEqual({ bytes: 1, price: FREE, oneAnyway: true });
    const after = spend(slice?.left ?? { price: FREE }, { parts: 1, bytes: 10 });
    expect(after).toEqual({ bytes: 0, price: FREE });
    expect(spend(after ?? { price: FREE }, { parts: 1, bytes: 10 })).toBeUndefined();
  });

  it('without a limit that is met reads everything once', () => {
    expect(choose({ parts: 1_000 })).toHaveLength(3);
  });
});

describe('the price of reading', () => {
  it('is the request, a share of the batch, and the function’s time', () => {
    const { perPart, perByte } = readingPrice([], 1000);
    expect(perPart).toBeCloseTo(PRICES.s3ReadRequest + (5 * PRICES.stateTransition) / 1000, 12);
    // 50 GiB of small files' worth: 1,024 s of a function with 1 GB.
    expect(perByte * 50 * 1024 ** 3).toBeCloseTo(1024 * PRICES.lambdaGbSecond, 6);
  });

  it('adds retrieval of the dearest class that parts may be moved to', () => {
    const plain = readingPrice([], 1000).perByte;
    expect((readingPrice(['STANDARD_IA', 'GLACIER_IR'], 1000).perByte - plain) * 1024 ** 3).toBeCloseTo(0.03, 9);
    expect(readingPrice(['INTELLIGENT_TIERING'], 1000).perByte).toBe(plain);
  });
});
