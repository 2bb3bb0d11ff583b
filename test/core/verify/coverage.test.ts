import { describe, expect, it } from 'vitest';
import { wholeSince } from '../../../core/verify/coverage.ts';
import type { PastSlice } from '../../../core/verify/read-slices.ts';
import type { CatalogTable } from '../../../core/verify/units.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT } from '../../support/sample-lines.ts';

const named = (snapshot: string) => ({ snapshot, parts: 1, bytes: 1 });
const table: CatalogTable = new Map([
  [FIRST_SNAPSHOT, { snapshot: FIRST_SNAPSHOT, base: undefined, ranks: new Map([[0, [named(FIRST_SNAPSHOT)]]]) }],
  [
    SECOND_SNAPSHOT,
    {
      snapshot: SECOND_SNAPSHOT,
      base: FIRST_SNAPSHOT,
      ranks: new Map([[0, [named(FIRST_SNAPSHOT), named(SECOND_SNAPSHOT)]]]),
    },
  ],
]);

const slice = (snapshot: string, change: Partial<PastSlice> = {}): PastSlice => ({
  verification: 'v1',
  heldAgainst: new Set(),
  snapshot,
  rank: 0,
  ins: [snapshot],
  through: 'a',
  complete: true,
  parts: 1,
  bytes: 1,
  at: '2026-01-31T10:00:00.000Z',
  ...change,
});

const wholeWith = (first: PastSlice) => [
  ...wholeSince(
    table,
    new Map([
      [`${FIRST_SNAPSHOT}.rank-0`, [first]],
      [`${SECOND_SNAPSHOT}.rank-0`, [slice(SECOND_SNAPSHOT)]],
    ]),
    'read',
  ).keys(),
];

describe('what was looked at with damage in it', () => {
  it('proves nothing for a snapshot that was not held against the damage', () => {
    const heldAgainst = new Set([FIRST_SNAPSHOT]);
    expect(wholeWith(slice(FIRST_SNAPSHOT, { damaged: true, heldAgainst }))).toEqual([FIRST_SNAPSHOT]);
  });

  it('counts for those that were', () => {
    const heldAgainst = new Set([FIRST_SNAPSHOT, SECOND_SNAPSHOT]);
    expect(wholeWith(slice(FIRST_SNAPSHOT, { damaged: true, heldAgainst }))).toHaveLength(2);
  });

  it('counts for all where nothing was wrong', () => {
    expect(wholeWith(slice(FIRST_SNAPSHOT))).toHaveLength(2);
  });
});
