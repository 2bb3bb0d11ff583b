import { describe, expect, it } from 'vitest';
import { Gathering, hurts } from '../../../core/verify/gather.ts';
import type { Sighting } from '../../../core/verify/sightings.ts';
import type { UnitAnswer } from '../../../core/verify/verify-plan.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT } from '../../support/sample-lines.ts';

function missing(path: string): Sighting {
  const where = { snapshot: SECOND_SNAPSHOT, rank: 1, key: `k/${path}`, versionId: 'v1', in: FIRST_SNAPSHOT, path };
  return { kind: 'MissingObject', ...where, detail: 'The version is not there.' };
}

function answer(found: number, lines: number): UnitAnswer {
  return {
    formatVersion: 1,
    unit: { snapshot: SECOND_SNAPSHOT, rank: 1, ins: [FIRST_SNAPSHOT, SECOND_SNAPSHOT] },
    complete: true,
    looked: { parts: 0, bytes: 0 },
    tooLarge: 0,
    sighted: { counts: { MissingObject: found }, lines, pieces: [] },
    pieces: [],
  };
}

describe('gathering what the workers saw', () => {
  it('counts what a unit counted, and takes an example from its lines', () => {
    const gathering = new Gathering(new Map());
    gathering.addUnit(answer(2, 2));
    gathering.addUnitLine(missing('a'));
    gathering.addUnitLine(missing('b'));
    expect(gathering.counts).toEqual({ MissingObject: 2 });
    expect([...gathering.hurt]).toEqual([
      [SECOND_SNAPSHOT, { kinds: { MissingObject: 2 }, example: 'k/a: The version is not there.' }],
    ]);
    expect(gathering.versions.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(gathering.directories).toEqual([
      { snapshot: SECOND_SNAPSHOT, rank: 1, in: FIRST_SNAPSHOT, kinds: { MissingObject: 2 } },
    ]);
    expect(gathering.overflow).toBe(false);
  });

  it('suspects every directory of a unit that found more than it wrote down, and counts none of it twice', () => {
    const gathering = new Gathering(new Map());
    gathering.addUnit(answer(3, 2));
    gathering.addUnitLine(missing('a'));
    gathering.addUnitLine(missing('b'));
    expect(gathering.overflow).toBe(true);
    expect(gathering.directories.map(({ in: directory, kinds }) => [directory, kinds])).toEqual([
      [FIRST_SNAPSHOT, { MissingObject: 3 }],
      [SECOND_SNAPSHOT, { MissingObject: 3 }],
    ]);
  });

  it('does not count a lock that ends early against a snapshot that promises less', () => {
    const early = { ...missing('a'), kind: 'LockEndsEarly' as const, lockedUntil: '2026-02-10T00:00:00.000Z' };
    expect(hurts(early, '2026-02-11T00:00:00.000Z')).toBe(true);
    expect(hurts(early, '2026-02-09T00:00:00.000Z')).toBe(false);
    expect(hurts(early, undefined)).toBe(false);
    const gathering = new Gathering(new Map([[SECOND_SNAPSHOT, '2026-02-09T00:00:00.000Z']]));
    gathering.add(early);
    expect(gathering.counts).toEqual({});
    expect(gathering.hurt.size).toBe(0);
    expect(gathering.versions).toHaveLength(1);
  });
});
