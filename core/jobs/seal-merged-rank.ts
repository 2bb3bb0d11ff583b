import type { DraftReader } from '../draft-io.ts';
import type { RankName } from '../ids.ts';
import type { MergingPlan } from '../maintain/merge-plan.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RankLine } from '../records.ts';
import { sealRank } from './seal-rank.ts';

/**
 * Writes the rank's manifest of a merged full, which names nothing but its own bytes.
 * @throws SealInvariantBroken, ReceiptMissing, VaultKeyTaken
 */
export function sealMergedRank(
  deps: DraftReader & { readonly vault: ObjectStore },
  { merge }: MergingPlan,
  rank: RankName,
): Promise<RankLine> {
  const { backup, snapshot } = merge;
  return sealRank(deps, { run: { backup, snapshot, type: 'full' }, allowedIn: [] }, rank);
}
