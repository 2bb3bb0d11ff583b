import { streamOf } from '../draft-writer.ts';
import { interleave } from '../interleave.ts';
import { plainJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readAnswers } from '../verify/answers.ts';
import { readBatchKey } from '../verify/look-read.ts';
import { unitId } from '../verify/units.ts';
import type { ReadItem, UnitAnswer, VerifyPlan } from '../verify/verify-plan.ts';
import type { RunKeys } from '../work-layout.ts';

/**
 * Writes the list of batches of a `read`: interleaved over units, so that the reads spread over the vault's prefixes from the first second
 * on. A `present` has none.
 * @throws RecordMissing when a unit was not looked at
 */
export async function planReads(
  deps: { readonly work: ObjectStore; readonly keys: RunKeys },
  plan: VerifyPlan,
): Promise<{ readonly batches: number }> {
  if (plan.run.level !== 'read') {
    return { batches: 0 };
  }
  const answers = await readAnswers(deps, plan.run);
  const items = [...itemsOf(deps.keys, answers)];
  await deps.work.putStream(plan.run.batchesKey, plainJsonLines(streamOf(items)));
  return { batches: items.length };
}

function* itemsOf(keys: RunKeys, answers: readonly UnitAnswer[]): Generator<ReadItem> {
  const items = new Map(answers.flatMap((answer) => itemsOfUnit(keys, answer)).map((item) => [item.batch, item]));
  const lists = answers.map((answer) => ({
    rank: answer.unit.rank,
    batches: itemsOfUnit(keys, answer).map(({ batch }) => batch),
  }));
  for (const { batch } of interleave(lists)) {
    const item = items.get(batch);
    if (item !== undefined) {
      yield item;
    }
  }
}

function itemsOfUnit(keys: RunKeys, { unit, pieces }: UnitAnswer): readonly ReadItem[] {
  const { snapshot, rank } = unit;
  return pieces.flatMap(batchNames).map((name) => ({
    batch: `${unitId(unit)}.${name}`,
    snapshot,
    rank,
    key: readBatchKey(keys, unitId(unit), name),
  }));
}

function batchNames({ id, batches }: UnitAnswer['pieces'][number]): readonly string[] {
  return Array.from({ length: batches }, (_, index) => `${id}-${index}`);
}
