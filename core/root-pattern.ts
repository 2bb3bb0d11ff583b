import { PathCollision, RootPatternInvalid } from './errors.ts';

/**
 * Maps the paths of a root to ranks and TOMs and back.
 *
 * A pattern is a directory path with `{rank}` and, optionally, `{tom}` in two of its segments, e.g. `rank-{rank}/tom-{tom}` or
 * `persist/gpudb_rank{rank}/data/t{tom:2}`; `{tom:2}` means zero-padded to two digits. Inside a rank, TOM directories get the
 * canonical form `tom-<m>/`; every other path keeps its own. Files outside of every rank directory belong to the pseudo-rank
 * `cluster` and keep their path in the root. A root that holds a single rank has a fixed rank and no `{rank}`.
 */
export interface RootPattern {
  readonly fixedRank: number | undefined;
  /** Directory that holds the rank directories: `''` or `persist/`. */
  readonly rankParent: string;
  /** The rank whose directory has this name, if it is one. */
  readonly rankOf: (segment: string) => number | undefined;
  /** Directory of a rank inside the root: `persist/gpudb_rank3/`; `''` for a fixed rank. */
  readonly rankPath: (rank: number) => string;
  /** Directory inside the rank that holds the TOM directories; undefined when the pattern has no `{tom}`. */
  readonly tomParent: string | undefined;
  readonly tomOf: (segment: string) => number | undefined;
  readonly tomSegment: (tom: number) => string;
  /** True when TOM directories already have the canonical form, so that paths need no mapping and keep their order. */
  readonly canonical: boolean;
}

interface NumberedSegment {
  readonly of: (segment: string) => number | undefined;
  readonly make: (value: number) => string;
}

const PLACEHOLDER = /\{(rank|tom)(?::([1-9]))?\}/g;
const NO_SEGMENT: NumberedSegment = { of: () => undefined, make: () => '' };

/** @throws RootPatternInvalid */
export function compileRootPattern(pattern: string, fixedRank?: number): RootPattern {
  const segments = pattern === '' ? [] : pattern.split('/');
  const rankAt = indexOfPlaceholder(segments, 'rank');
  const tomAt = indexOfPlaceholder(segments, 'tom');
  assertPattern(pattern, { segments, rankAt, tomAt, fixedRank });
  const rank = rankAt < 0 ? NO_SEGMENT : numberedSegment(segments[rankAt] ?? '');
  const tom = tomAt < 0 ? NO_SEGMENT : numberedSegment(segments[tomAt] ?? '');
  const rankParent = asDirectory(segments.slice(0, Math.max(rankAt, 0)));
  const tomParent = tomAt < 0 ? undefined : asDirectory(segments.slice(rankAt + 1, tomAt));
  return {
    fixedRank,
    rankParent,
    rankOf: rank.of,
    rankPath: (value) => (fixedRank === undefined ? `${rankParent}${rank.make(value)}/` : ''),
    tomParent,
    tomOf: tom.of,
    tomSegment: tom.make,
    canonical: tomAt < 0 || (tomParent === '' && segments[tomAt] === 'tom-{tom}'),
  };
}

/**
 * The part path of a path inside the rank's directory.
 * @throws PathCollision when a path that is no TOM's looks like a canonical TOM
 */
export function canonicalPath(pattern: RootPattern, pathInRank: string): string {
  if (pattern.canonical || pattern.tomParent === undefined) {
    return pathInRank;
  }
  if (pathInRank.startsWith(pattern.tomParent)) {
    const rest = pathInRank.slice(pattern.tomParent.length);
    const slash = rest.indexOf('/');
    const tom = slash < 0 ? undefined : pattern.tomOf(rest.slice(0, slash));
    if (tom !== undefined) {
      return `tom-${tom}${rest.slice(slash)}`;
    }
  }
  if (/^tom-\d+\//.test(pathInRank)) {
    throw new PathCollision(`${JSON.stringify(pathInRank)} is not a TOM by the root's pattern but is named like one.`, {
      hint: 'Correct the pattern of the root, or exclude the directory.',
    });
  }
  return pathInRank;
}

/** The reverse of `canonicalPath`. */
export function pathInRankOf(pattern: RootPattern, partPath: string): string {
  const match = pattern.canonical ? null : /^tom-(\d+)\//.exec(partPath);
  if (match?.[1] === undefined || pattern.tomParent === undefined) {
    return partPath;
  }
  return `${pattern.tomParent}${pattern.tomSegment(Number(match[1]))}/${partPath.slice(match[0].length)}`;
}

function assertPattern(
  pattern: string,
  parsed: { segments: readonly string[]; rankAt: number; tomAt: number; fixedRank: number | undefined },
): void {
  const problem = problemOf(parsed, pattern);
  if (problem !== undefined) {
    throw new RootPatternInvalid(`Root pattern ${JSON.stringify(pattern)} ${problem}.`, {
      hint: 'Write something like "rank-{rank}/tom-{tom}"; a root of one rank has "rank: 3" and a pattern without {rank}.',
    });
  }
}

function problemOf(
  parsed: { segments: readonly string[]; rankAt: number; tomAt: number; fixedRank: number | undefined },
  pattern: string,
): string | undefined {
  const count = (name: string) => [...pattern.matchAll(PLACEHOLDER)].filter((match) => match[1] === name).length;
  if (parsed.segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'has an empty, "." or ".." segment';
  }
  if (pattern.replaceAll(PLACEHOLDER, '').match(/[{}]/)) {
    return 'has braces that are neither {rank} nor {tom}';
  }
  if (count('rank') !== (parsed.fixedRank === undefined ? 1 : 0)) {
    return parsed.fixedRank === undefined
      ? 'must have exactly one {rank}'
      : 'must not have {rank}, because the rank is fixed';
  }
  if (count('tom') > 1 || (parsed.tomAt >= 0 && parsed.tomAt !== parsed.segments.length - 1)) {
    return 'may have one {tom}, in its last segment';
  }
  if (parsed.tomAt >= 0 && parsed.tomAt <= parsed.rankAt) {
    return 'must have {tom} in a segment below {rank}';
  }
  if (parsed.tomAt < 0 && parsed.rankAt !== parsed.segments.length - 1) {
    return 'must end in the segment of {rank} or of {tom}';
  }
  return undefined;
}

function indexOfPlaceholder(segments: readonly string[], name: string): number {
  return segments.findIndex((segment) => segment.includes(`{${name}}`) || segment.includes(`{${name}:`));
}

function asDirectory(segments: readonly string[]): string {
  return segments.map((segment) => `${segment}/`).join('');
}

function numberedSegment(template: string): NumberedSegment {
  const match = new RegExp(PLACEHOLDER.source).exec(template);
  const before = template.slice(0, match?.index ?? 0);
  const after = template.slice((match?.index ?? 0) + (match?.[0].length ?? 0));
  const width = Number(match?.[2] ?? 1);
  const make = (value: number) => `${before}${String(value).padStart(width, '0')}${after}`;
  const of = (segment: string) => {
    if (!segment.startsWith(before) || !segment.endsWith(after)) {
      return undefined;
    }
    const digits = segment.slice(before.length, segment.length - after.length);
    return /^\d{1,6}$/.test(digits) && make(Number(digits)) === segment ? Number(digits) : undefined;
  };
  return { of, make };
}
