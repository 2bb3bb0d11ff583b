import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameInvalid } from '../../core/errors.ts';
import {
  assertName,
  compareRanks,
  directoryOfId,
  epochMillisOfDirectory,
  isSnapshotId,
  nextSnapshotId,
  rankDirectory,
  rankNameSchema,
} from '../../core/ids.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

const epochMillis = fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 });

describe('snapshot ids and directories', () => {
  it('names the directory after the second of the id, in UTC', () => {
    expect(directoryOfId('1769896800999')).toBe('snapshot.2026-01-31.22-00-00');
  });

  it('reads the second back from the directory', () => {
    fc.assert(
      fc.property(epochMillis, (at) => {
        expect(epochMillisOfDirectory(directoryOfId(String(at)))).toBe(Math.floor(at / 1000) * 1000);
      }),
    );
  });

  it('sorts directories by time', () => {
    fc.assert(
      fc.property(epochMillis, epochMillis, (left, right) => {
        const order = compareUtf8(directoryOfId(String(left)), directoryOfId(String(right)));
        expect(Math.sign(order)).toBe(Math.sign(Math.floor(left / 1000) - Math.floor(right / 1000)));
      }),
    );
  });

  it.each(['snapshot.2026-01-31', 'snapshot.2026-13-31.22-00-00', 'latest', ''])('sees no directory in %j', (text) => {
    expect(epochMillisOfDirectory(text)).toBeUndefined();
  });

  it('knows an id by its 13 digits', () => {
    expect(['1769896800999', '176989680099', '17698968009999', 'latest'].map(isSnapshotId)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it('takes the time of now when nothing was claimed before', () => {
    expect(nextSnapshotId(1_769_896_800_123, undefined)).toBe('1769896800123');
  });

  it('never gives a directory twice, also within one second and when the clock has gone back', () => {
    fc.assert(
      fc.property(epochMillis, fc.integer({ min: -86_400_000, max: 5000 }), (first, later) => {
        const newest = directoryOfId(String(first));
        const next = directoryOfId(nextSnapshotId(first + later, newest));
        expect(compareUtf8(next, newest)).toBeGreaterThan(0);
      }),
    );
  });

  it('moves to the next second when this one is taken', () => {
    expect(nextSnapshotId(1_769_896_800_999, 'snapshot.2026-01-31.22-00-00')).toBe('1769896801000');
  });

  it('keeps the milliseconds of now when the newest directory is older', () => {
    expect(nextSnapshotId(1_769_896_801_234, 'snapshot.2026-01-31.22-00-00')).toBe('1769896801234');
  });
});

describe('ranks', () => {
  it('come in the order of their numbers, then the files of no rank', () => {
    expect((['cluster', 10, 2, 0] as const).toSorted(compareRanks)).toEqual([0, 2, 10, 'cluster']);
    expect(compareRanks('cluster', 'cluster')).toBe(0);
  });

  it('have a directory each', () => {
    expect([0, 12, 'cluster' as const].map(rankDirectory)).toEqual(['rank-0', 'rank-12', 'cluster']);
  });

  it.each([-1, 1.5, '1', 'head'])('are not %j', (rank) => {
    expect(rankNameSchema.safeParse(rank).success).toBe(false);
  });
});

describe('names', () => {
  it.each(['a', 'prod_system', 'A1', 'a'.repeat(63)])('may be %s', (name) => {
    expect(() => assertName('backup', name)).not.toThrow();
  });

  it.each(['', '1a', '_a', 'a-b', 'a/b', 'a.b', 'ü', 'a'.repeat(64)])('may not be %j', (name) => {
    expect(() => assertName('backup', name)).toThrow(NameInvalid);
    expect(() => assertName('backup', name)).toThrow('is not a valid backup name');
  });
});
