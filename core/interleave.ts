import type { RankName } from './ids.ts';

export interface RankBatches {
  readonly rank: RankName;
  readonly batches: readonly string[];
}

/**
 * The first batch of every rank, then the second of every rank that has one, and so on: work spreads over the prefixes of all
 * ranks from the first second on.
 */
export function* interleave(
  lists: readonly RankBatches[],
): Generator<{ readonly rank: RankName; readonly batch: string }> {
  const rounds = lists.reduce((most, list) => Math.max(most, list.batches.length), 0);
  for (let round = 0; round < rounds; round += 1) {
    for (const { rank, batches } of lists) {
      const batch = batches[round];
      if (batch !== undefined) {
        yield { rank, batch };
      }
    }
  }
}
