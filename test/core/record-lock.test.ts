import { describe, expect, it } from 'vitest';
import { CatalogCorrupt } from '../../core/errors.ts';
import { lockMillis, promisedMillis, recordLockOf } from '../../core/record-lock.ts';

const DAY = 86_400_000;
const objectLock = { mode: 'GOVERNANCE', retainDays: 30, chainDays: 14 } as const;
const facts = {
  objectLock,
  startedAt: '2026-01-31T22:00:00.000Z',
  takenAt: '2026-01-31T22:10:00.000Z',
  committedAt: '2026-01-31T23:30:00.000Z',
};

describe('the lock of a snapshot', () => {
  it('lasts for the promise and for what builds on it', () => {
    expect([promisedMillis(objectLock), lockMillis(objectLock)]).toEqual([30 * DAY, 44 * DAY]);
  });

  it('is told as promise, first and last end', () => {
    expect(recordLockOf(facts)).toEqual({
      mode: 'GOVERNANCE',
      promisedUntil: '2026-03-02T22:10:00.000Z',
      earliest: '2026-03-16T22:00:00.000Z',
      latest: '2026-03-17T00:30:00.000Z',
      chainUntil: '2026-03-16T22:00:00.000Z',
    });
  });

  it.each([
    ['2026-03-10T00:00:00.000Z', '2026-03-10T00:00:00.000Z'],
    ['2026-03-16T22:00:00.000Z', '2026-03-16T22:00:00.000Z'],
    // The promise has been made shorter since the base was taken.
    ['2027-01-01T00:00:00.000Z', '2026-03-16T22:00:00.000Z'],
  ])('ends for the chain with what ends first: base %s, chain %s', (baseLockedUntil, chainUntil) => {
    expect(recordLockOf({ ...facts, baseLockedUntil }).chainUntil).toBe(chainUntil);
  });

  it('promises from the moment that a merged full shows, and locks from its copies', () => {
    const merged = recordLockOf({ ...facts, takenAt: '2026-01-01T00:00:00.000Z' });
    expect([merged.promisedUntil, merged.chainUntil]).toEqual(['2026-01-31T00:00:00.000Z', '2026-03-16T22:00:00.000Z']);
  });

  it('is not made up of a time that is none', () => {
    expect(() => recordLockOf({ ...facts, startedAt: 'yesterday' })).toThrow(CatalogCorrupt);
  });
});
