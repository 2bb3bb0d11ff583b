import { describe, expect, it } from 'vitest';
import { epochMillisOfIso, isoOfEpochMillis } from '../../core/utc.ts';

describe('UTC text', () => {
  it('has milliseconds and a Z', () => {
    expect(isoOfEpochMillis(1_769_896_800_007)).toBe('2026-01-31T22:00:00.007Z');
  });

  it('is read with any zone', () => {
    expect(epochMillisOfIso('2026-01-31T23:00:00.007+01:00')).toBe(1_769_896_800_007);
  });

  it('is no time when it is none', () => {
    expect(epochMillisOfIso('')).toBeUndefined();
    expect(epochMillisOfIso('tomorrow')).toBeUndefined();
  });
});
