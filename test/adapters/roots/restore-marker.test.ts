import { describe, expect, it } from 'vitest';
import { formatMarker, nextMarker, parseMarker } from '../../../adapters/roots/restore-marker.ts';
import { CatalogCorrupt } from '../../../core/errors.ts';
import type { RestoreMarker } from '../../../core/ports/restore-target.ts';

const MARKER: RestoreMarker = {
  formatVersion: 1,
  execution: 'restore-1',
  backup: 'nightly',
  snapshot: 'snapshot.2026-11-23.02-00-00',
  startedAt: '2026-11-23T03:00:00.000Z',
  phase: 'moving',
  label: 'restore-1',
};

describe('the marker of a restore', () => {
  it('is read as it was written', () => {
    expect(parseMarker(formatMarker(MARKER), 'root main')).toEqual(MARKER);
    const replacing = { ...MARKER, policy: 'replace' } as const;
    expect(parseMarker(formatMarker(replacing), 'root main')).toEqual(replacing);
  });

  it('is not written when it could not be read', () => {
    expect(() => formatMarker({ ...MARKER, label: 'dr@2026' })).toThrow(CatalogCorrupt);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...MARKER, phase: 'done' }),
    JSON.stringify({ ...MARKER, label: '../x' }),
    JSON.stringify({ ...MARKER, policy: 'merge' }),
  ])('is refused by name and place when it reads %s', (json) => {
    const refused = { name: 'CatalogCorrupt', message: expect.stringContaining('root main') };
    expect(() => parseMarker(json, 'root main')).toThrow(expect.objectContaining(refused));
  });

  it('is refused as too new when a later version wrote it', () => {
    const json = JSON.stringify({ formatVersion: 2, something: 'else' });
    expect(() => parseMarker(json, 'root main')).toThrow(expect.objectContaining({ name: 'FormatTooNew' }));
  });

  it('goes forward within an execution, and gives way to another', () => {
    const placing = { ...MARKER, phase: 'placing' } as const;
    const other = { ...MARKER, execution: 'restore-2' };
    expect(nextMarker(undefined, MARKER)).toBe(MARKER);
    expect(nextMarker(MARKER, placing)).toBe(placing);
    expect(nextMarker(placing, MARKER)).toBe(placing);
    expect(nextMarker(placing, other)).toBe(other);
    const sameName = { ...MARKER, startedAt: '2027-03-01T00:00:00.000Z' };
    expect(nextMarker(placing, sameName)).toBe(sameName);
  });
});
