import { createHash } from 'node:crypto';

/** A seeded stream of numbers in [0, 1): the same seed gives the same numbers on every machine. */
export type Random = () => number;

/** mulberry32 (public domain): 32 bits of state, good enough to choose sizes and files. */
export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in [0, below). */
export function randomBelow(random: Random, below: number): number {
  return Math.floor(random() * below);
}

/** How sizes are spread: log-normally, as files of a column store are; most are small, a few are large. */
export interface SizeSpread {
  /** Half of the files are smaller. */
  readonly medianBytes: number;
  /** Standard deviation of the logarithm; 0 gives every file the median size. */
  readonly sigma: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

export function randomSizeBytes(random: Random, spread: SizeSpread): number {
  let normal = -6;
  // Twelve uniform numbers, each of variance 1/12, add up to nearly a normal one of variance 1.
  for (let count = 0; count < 12; count += 1) {
    normal += random();
  }
  const sizeBytes = Math.round(spread.medianBytes * Math.exp(spread.sigma * normal));
  return Math.min(spread.maxBytes, Math.max(spread.minBytes, sizeBytes));
}

/** `count` of the items, each at most once, in an order of their own. */
export function randomSample<T>(random: Random, items: readonly T[], count: number): T[] {
  const rest = [...items];
  const taken: T[] = [];
  while (taken.length < count && rest.length > 0) {
    const index = randomBelow(random, rest.length);
    const last = rest.pop();
    const chosen = rest[index] ?? last;
    if (index < rest.length && last !== undefined) {
      rest[index] = last;
    }
    if (chosen !== undefined) {
      taken.push(chosen);
    }
  }
  return taken;
}
