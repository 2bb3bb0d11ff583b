import { BATCH_LIMITS } from '../batching.ts';
import type { RankvaultConfig, ReadBudget } from '../config/schema.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readingPrice } from '../pricing.ts';
import type { VerifiedState } from '../verification.ts';
import { chooseSlices, orderUnits, purseOf, type UnitSlice } from './budget.ts';
import type { ReadTable } from './catalog-table.ts';
import { readSlices } from './history.ts';
import { historyOf } from './read-slices.ts';
import { ownUnits, type Unit, wholeUnits } from './units.ts';
import type { UnitItem } from './verify-plan.ts';

/** Units of a run without a budget. What is left of a broken list of ranks is looked at for itself: nobody else looks at it. */
export function allUnits({ table, broken }: ReadTable, whole: boolean): readonly UnitSlice[] {
  const sound = whole ? [...table.values()].flatMap(wholeUnits) : ownUnits(table);
  return [...sound, ...broken.flatMap(wholeUnits)].map((unit) => ({ unit, after: undefined, purse: undefined }));
}

export interface BudgetQuestion {
  readonly backup: string;
  readonly budget: ReadBudget;
  readonly config: RankvaultConfig;
  /** Ids of the verifications so far. */
  readonly ids: readonly string[];
  readonly state: VerifiedState;
}

/** Units of a night: as many as the budget reads, each from where the nights before it stopped. */
export async function unitsWithinBudget(
  vault: ObjectStore,
  { table }: ReadTable,
  { backup, budget, config, ids, state }: BudgetQuestion,
): Promise<readonly UnitSlice[]> {
  const units = ownUnits(table).filter(({ parts }) => parts > 0);
  const slices = await readSlices(vault, { backup, level: 'read', ids, units });
  const histories = new Map([...slices].map(([id, each]) => [id, historyOf(each)]));
  const classes = config.vault.transitions.map(({ storageClass }) => storageClass);
  const purse = purseOf(budget, readingPrice(classes, BATCH_LIMITS.maxParts));
  return chooseSlices(orderUnits(units, histories, unreadableBefore(state)), histories, purse);
}

function unreadableBefore({ open }: VerifiedState): ReadonlySet<string> {
  const broken = open.filter(({ level, kinds }) => level === 'read' && (kinds.BrokenCatalog ?? 0) > 0);
  return new Set(broken.map(({ snapshot }) => snapshot));
}

export function itemOf({ unit, after, purse }: UnitSlice): UnitItem {
  const { snapshot, rank, ins } = unit satisfies Unit;
  return {
    unit: {
      snapshot,
      rank,
      ins: [...ins],
      ...(after === undefined ? {} : { after }),
      ...(purse === undefined ? {} : { purse }),
    },
  };
}
