import { describe, expect, it } from 'vitest';
import { compileExcludes } from '../../../adapters/roots/excludes.ts';

describe('excludes of a root', () => {
  it.each([
    ['*.tmp', 'a.tmp', true],
    ['*.tmp', 'a/b.tmp', false],
    ['**/*.tmp', 'a/b/.c.tmp', true],
    ['**/*.tmp', 'b.tmp', true],
    ['scratch', 'scratch/deep/x', true],
    ['scratch/', 'scratch/', true],
    ['scratch', 'scratchy/x', false],
    ['rank-*/logs', 'rank-12/logs/x', true],
    ['rank-*/logs', 'rank-1/tom-0/logs/x', false],
    ['lost+found', 'lost+found/x', true],
    ['a/**', 'a/b', true],
    ['.snapshot', '.snapshot/x', true],
    ['!keep', 'other', false],
  ])('%s and %s: %s', (glob, path, excluded) => {
    expect(compileExcludes([glob])(path)).toBe(excluded);
  });

  it('are none when none are given', () => {
    expect(compileExcludes([])('anything')).toBe(false);
  });
});
