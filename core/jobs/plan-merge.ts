import { batchesOf, type Enumeration } from '../draft.ts';
import { type DraftReader, readEnumeration } from '../draft-io.ts';
import type { MergingPlan } from '../maintain/merge-plan.ts';
import { readRankList, writeBatchList } from './plan-copies.ts';

export interface MergeCopies {
  readonly batches: number;
  readonly ranks: number;
  readonly parts: number;
  readonly bytes: number;
}

/**
 * Writes the list of batches for the copy Map of a merge. What the ranks hold was committed before and is not doubted here: a rank
 * without anything is one that the source had without anything.
 */
export async function planMerge(reader: DraftReader, plan: MergingPlan): Promise<MergeCopies> {
  const enumerations: Enumeration[] = [];
  for (const rank of await readRankList(reader.work, plan.run.ranksKey)) {
    enumerations.push(await readEnumeration(reader, 'final', rank));
  }
  await writeBatchList(reader, plan.run.batchesKey, { pass: 'final', enumerations });
  return enumerations.reduce(
    (sum, enumeration) => ({
      batches: sum.batches + batchesOf(enumeration).length,
      ranks: sum.ranks + 1,
      parts: sum.parts + enumeration.totals.copyParts,
      bytes: sum.bytes + enumeration.totals.copyBytes,
    }),
    { batches: 0, ranks: 0, parts: 0, bytes: 0 },
  );
}
