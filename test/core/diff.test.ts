import { describe, expect, it } from 'vitest';
import { decidePart } from '../../core/diff.ts';
import { listedPart, SAMPLE_ATTRIBUTES } from '../support/listed-source.ts';
import { directoryLine, partLine } from '../support/sample-lines.ts';

const live = listedPart('a');

describe('what becomes of a listed part', () => {
  it('is carried when its token is the base’s', () => {
    expect(decidePart(live, partLine('a'), 'final')).toEqual({ action: 'carry', line: partLine('a') });
  });

  it('is carried with the attributes of now', () => {
    const attributes = { ...SAMPLE_ATTRIBUTES, mode: 0o600 };
    const decision = decidePart({ ...live, attributes }, partLine('a'), 'final');
    expect(decision).toEqual({ action: 'carry', line: { ...partLine('a'), attributes } });
  });

  it('is carried with the place of its bytes, which may be a rewritten one', () => {
    const base = partLine('a', { key: 'prod/x/.rewritten/0/rank-1/a' });
    expect(decidePart(live, base, 'final')).toEqual({ action: 'carry', line: base });
  });

  it.each([
    ['nothing', undefined, 'new'],
    ['a directory', directoryLine('a/'), 'new'],
    ['another token', partLine('a', { token: 'file:10:2:2:a' }), 'changed'],
    ['another root', partLine('a', { root: 'other' }), 'changed'],
    ['the same token and another size', partLine('a', { sizeBytes: 11 }), 'changed'],
    ['a token that could not be trusted', partLine('a', { racy: true }), 'racy'],
  ] as const)('is copied when the base has %s', (_what, base, reason) => {
    expect(decidePart(live, base, 'final')).toEqual({ action: 'copy', reason });
    expect(decidePart(live, base, 'warm')).toEqual({ action: 'copy', reason });
  });

  it('is copied when it is racy now, and left to the final pass before the quiesce', () => {
    const racy = listedPart('a', { racy: true, token: 'file:10:9:9:a' });
    expect(decidePart(racy, partLine('a'), 'final')).toEqual({ action: 'copy', reason: 'changed' });
    expect(decidePart(racy, partLine('a'), 'warm')).toEqual({ action: 'leave', reason: 'racy' });
    expect(decidePart(racy, undefined, 'warm')).toEqual({ action: 'leave', reason: 'racy' });
  });

  it('stays marked when it is carried and racy again, as after a clock that went back', () => {
    const decision = decidePart(listedPart('a', { racy: true }), partLine('a'), 'final');
    expect(decision).toEqual({ action: 'carry', line: { ...partLine('a'), racy: true } });
  });

  it('is always read when it is an embedded database of a file root', () => {
    const database = listedPart('meta.mdb');
    expect(decidePart(database, partLine('meta.mdb'), 'final')).toEqual({ action: 'copy', reason: 'always read' });
    expect(decidePart(database, partLine('meta.mdb'), 'warm')).toEqual({ action: 'leave', reason: 'always read' });
  });

  it('is carried when it is a database in S3, whose ETag tells every change', () => {
    const token = 's3:e';
    const decision = decidePart(listedPart('meta.mdb', { token }), partLine('meta.mdb', { token }), 'final');
    expect(decision.action).toBe('carry');
  });
});
