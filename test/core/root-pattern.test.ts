import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathCollision, RootPatternInvalid } from '../../core/errors.ts';
import { canonicalPath, compileRootPattern, pathInRankOf } from '../../core/root-pattern.ts';

describe('root patterns', () => {
  it('know the rank of a directory, and the directory of a rank', () => {
    const pattern = compileRootPattern('persist/gpudb_rank{rank}/data/t{tom:2}');
    expect(pattern.rankParent).toBe('persist/');
    expect(pattern.rankOf('gpudb_rank12')).toBe(12);
    expect(pattern.rankPath(12)).toBe('persist/gpudb_rank12/');
    expect(pattern.tomParent).toBe('data/');
  });

  it.each(['gpudb_rank', 'gpudb_rank01', 'gpudb_rank_', 'gpudb_rank1x', 'gpudb_rank-1', 'gpudb_rank1234567', 'rank1'])(
    'see no rank in %s',
    (segment) => {
      expect(compileRootPattern('persist/gpudb_rank{rank}').rankOf(segment)).toBeUndefined();
    },
  );

  it('read padded numbers only when they are padded', () => {
    const { rankOf, rankPath } = compileRootPattern('r{rank:3}x');
    expect([rankOf('r007x'), rankOf('r7x'), rankOf('r1234x'), rankPath(7)]).toEqual([7, undefined, 1234, 'r007x/']);
  });

  it('do not take one character for both literals around a number', () => {
    expect(compileRootPattern('ab{rank}ba').rankOf('aba')).toBeUndefined();
  });

  it('of a fixed rank have the root itself as the directory of the rank', () => {
    const pattern = compileRootPattern('tom-{tom}', 3);
    expect([pattern.fixedRank, pattern.rankPath(3), pattern.canonical]).toEqual([3, '', true]);
    expect(compileRootPattern('', 3).tomParent).toBeUndefined();
  });

  it('map TOM directories to the canonical form and keep every other path', () => {
    const pattern = compileRootPattern('rank{rank}/data/t{tom:2}');
    const mapped = ['data/t07/x', 'data/t07/', 'data/t7/x', 'data/x', 'data/', 'meta.mdb', 'tom-1'];
    expect(mapped.map((path) => canonicalPath(pattern, path))).toEqual(['tom-7/x', 'tom-7/', ...mapped.slice(2)]);
    expect(pathInRankOf(pattern, 'tom-7/x')).toBe('data/t07/x');
  });

  it('leave canonical paths alone', () => {
    const pattern = compileRootPattern('rank-{rank}/tom-{tom}');
    expect(canonicalPath(pattern, 'tom-007/x')).toBe('tom-007/x');
    expect(pathInRankOf(pattern, 'tom-007/x')).toBe('tom-007/x');
  });

  it('refuse a path that is no TOM and is named like one', () => {
    const pattern = compileRootPattern('rank{rank}/data/tom-{tom}');
    expect(() => canonicalPath(pattern, 'tom-1/x')).toThrow(PathCollision);
  });

  const patterns = [
    'rank-{rank}/tom-{tom}',
    'r{rank}',
    'r{rank}/t{tom:2}',
    'p/r{rank}/data/x/t{tom}y',
    'r{rank}/a/tom-{tom}',
  ];
  const segment = fc.oneof(
    fc.constantFrom('data', 'x', 'tom-1', 't01', 't1y', 't2', 'a', 'tom-01', 't'),
    fc.string({ minLength: 1 }),
  );
  it.each(patterns)('%s: every path comes back as it was, and no two become one', (text) => {
    const pattern = compileRootPattern(text);
    const path = fc
      .array(
        segment.filter((each) => !each.includes('/')),
        { minLength: 1, maxLength: 5 },
      )
      .map((all) => all.join('/'));
    const canonicalOrNone = (each: string) => {
      try {
        return canonicalPath(pattern, each);
      } catch (error) {
        expect(error).toBeInstanceOf(PathCollision);
        return undefined;
      }
    };
    fc.assert(
      fc.property(path, (each) => {
        const canonical = canonicalOrNone(each);
        expect(canonical === undefined ? each : pathInRankOf(pattern, canonical)).toBe(each);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['', undefined, 'must have exactly one {rank}'],
    ['data', undefined, 'must have exactly one {rank}'],
    ['r{rank}/s{rank}', undefined, 'must have exactly one {rank}'],
    ['r{rank}', 2, 'must not have {rank}, because the rank is fixed'],
    ['r{rank}/{tom}/{tom}', undefined, 'may have one {tom}, in its last segment'],
    ['r{rank}/t{tom}/data', undefined, 'may have one {tom}, in its last segment'],
    ['r{rank}t{tom}', undefined, 'must have {tom} in a segment below {rank}'],
    ['t{tom}/r{rank}', undefined, 'may have one {tom}, in its last segment'],
    ['r{rank}/data', undefined, 'must end in the segment of {rank} or of {tom}'],
    ['data', 2, 'must end in the segment of {rank} or of {tom}'],
    ['r{rank}/', undefined, 'has an empty, "." or ".." segment'],
    ['/r{rank}', undefined, 'has an empty, "." or ".." segment'],
    ['../r{rank}', undefined, 'has an empty, "." or ".." segment'],
    ['r{rank:0}', undefined, 'has braces that are neither {rank} nor {tom}'],
    ['r{Rank}', undefined, 'has braces that are neither {rank} nor {tom}'],
    ['r{rank}}', undefined, 'has braces that are neither {rank} nor {tom}'],
  ])('refuse %j with rank %s by name', (pattern, rank, problem) => {
    expect(() => compileRootPattern(pattern, rank)).toThrow(RootPatternInvalid);
    expect(() => compileRootPattern(pattern, rank)).toThrow(problem);
  });
});
