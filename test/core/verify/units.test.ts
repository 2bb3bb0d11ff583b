import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { directoryOfId } from '../../../core/ids.ts';
import {
  type CatalogTable,
  coverersOf,
  ownUnits,
  type TableEntry,
  unitId,
  wholeUnits,
} from '../../../core/verify/units.ts';

/** A snapshot with its parts: by path, the directory that stored the bytes. */
interface Taken {
  readonly snapshot: string;
  readonly base: string | undefined;
  readonly parts: ReadonlyMap<string, string>;
}

const directory = (number: number) => directoryOfId(String(1_770_000_000_000 + number * 60_000));

const PATHS = ['a', 'b', 'c', 'd'];

interface Step {
  readonly type: 'full' | 'incremental' | 'differential';
  /** Written since the snapshot before; all others are carried as they are. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly hidden: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom('full' as const, 'incremental' as const, 'differential' as const),
  written: fc.subarray(PATHS),
  removed: fc.subarray(PATHS, { maxLength: 1 }),
  hidden: fc.boolean(),
});

/** A base is a visible snapshot when it is chosen; afterwards anything may be hidden. */
function take(steps: readonly Step[]): readonly Taken[] {
  const taken: Taken[] = [];
  for (const [number, { type, written, removed }] of steps.entries()) {
    const snapshot = directory(number);
    const base =
      type === 'full'
        ? undefined
        : type === 'incremental'
          ? taken.at(-1)
          : taken.findLast((each) => each.base === undefined);
    const parts = new Map<string, string>();
    for (const path of PATHS.filter((each) => !removed.includes(each))) {
      const carried = written.includes(path) ? undefined : base?.parts.get(path);
      parts.set(path, carried ?? snapshot);
    }
    taken.push({ snapshot, base: base?.snapshot, parts });
  }
  return taken;
}

function tableOf(visible: readonly Taken[]): CatalogTable {
  return new Map(visible.map((each) => [each.snapshot, entryOf(each)]));
}

function entryOf({ snapshot, base, parts }: Taken): TableEntry {
  const counts = new Map<string, number>();
  for (const stored of parts.values()) {
    counts.set(stored, (counts.get(stored) ?? 0) + 1);
  }
  const named = [...counts].map(([each, count]) => ({ snapshot: each, parts: count, bytes: 10 * count }));
  return { snapshot, base, ranks: new Map([[0, named]]) };
}

const versionsOf = (taken: readonly Taken[]) =>
  new Set(taken.flatMap(({ parts }) => [...parts].map(([path, stored]) => `${stored}/${path}`)));

describe('units', () => {
  it('look at every version that a visible snapshot names, whatever was hidden, and count their parts exactly', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 7 }), (steps) => {
        const visible = take(steps).filter((_, index) => steps[index]?.hidden !== true);
        const table = tableOf(visible);
        const units = ownUnits(table);
        const looked = units.map(({ snapshot, ins }) => {
          const { parts } = visible.find((each) => each.snapshot === snapshot) ?? { parts: new Map<string, string>() };
          return [...parts].filter(([, stored]) => ins.includes(stored)).map(([path, stored]) => `${stored}/${path}`);
        });
        expect(new Set(looked.flat())).toEqual(versionsOf(visible));
        expect(units.map(({ parts }) => parts)).toEqual(looked.map((each) => each.length));
        expect(units.map(({ bytes }) => bytes)).toEqual(looked.map((each) => 10 * each.length));
      }),
    );
  });

  it('of a snapshot’s coverers look at everything that it names', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 7 }), (steps) => {
        const visible = take(steps).filter((_, index) => steps[index]?.hidden !== true);
        const table = tableOf(visible);
        for (const each of visible) {
          const coverers = coverersOf(table, entryOf(each));
          const looked = coverers.flatMap(({ snapshot, ins }) => {
            const parts = visible.find((other) => other.snapshot === snapshot)?.parts ?? new Map<string, string>();
            return [...parts].filter(([, stored]) => ins.includes(stored)).map(([path, stored]) => `${stored}/${path}`);
          });
          expect(new Set(looked)).toEqual(new Set([...looked, ...versionsOf([each])]));
          expect(coverers.map(unitId)).toContain(unitId({ snapshot: each.snapshot, rank: 0 }));
        }
      }),
    );
  });

  it('count each version once as long as nothing is hidden', () => {
    const taken = take([
      { type: 'full', written: [], removed: [], hidden: false },
      { type: 'incremental', written: ['a'], removed: [], hidden: false },
      { type: 'differential', written: ['a', 'b'], removed: [], hidden: false },
    ]);
    expect(ownUnits(tableOf(taken)).map(({ ins, parts }) => [ins, parts])).toEqual([
      [[directory(0)], 4],
      [[directory(1)], 1],
      [[directory(2)], 2],
    ]);
  });

  it('of a chain whose full is hidden: the oldest snapshot that is left looks at what it had', () => {
    const [, ...visible] = take([
      { type: 'full', written: [], removed: [], hidden: true },
      { type: 'incremental', written: ['a'], removed: [], hidden: false },
      { type: 'incremental', written: ['b'], removed: [], hidden: false },
    ]);
    expect(ownUnits(tableOf(visible)).map(({ ins, parts }) => [ins, parts])).toEqual([
      [[directory(0), directory(1)], 4],
      [[directory(2)], 1],
    ]);
  });

  it('of one snapshot alone look at all that it names', () => {
    const last = take([
      { type: 'full', written: [], removed: [], hidden: false },
      { type: 'incremental', written: ['a'], removed: [], hidden: false },
    ])[1];
    expect(last === undefined ? [] : wholeUnits(entryOf(last))).toEqual([
      { snapshot: directory(1), rank: 0, ins: [directory(0), directory(1)], parts: 4, bytes: 40 },
    ]);
  });
});
