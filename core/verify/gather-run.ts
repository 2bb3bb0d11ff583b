import type { ObjectStore } from '../ports/object-store.ts';
import type { RunKeys } from '../work-layout.ts';
import { readBatches, unitSightings } from './answers.ts';
import type { DrillVerdict } from './drill.ts';
import { Gathering } from './gather.ts';
import { hurtOthers, type OthersQuestion } from './hurt-others.ts';
import type { Sighting } from './sightings.ts';
import type { UnitAnswer, VerifyPlan } from './verify-plan.ts';

export interface RunToGather {
  readonly plan: VerifyPlan;
  readonly answers: readonly UnitAnswer[];
  readonly drill: DrillVerdict | undefined;
}

interface RunStores {
  readonly vault: ObjectStore;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

export interface GatheredRun {
  readonly gathering: Gathering;
  /** What other snapshots suffer from. */
  readonly others: readonly Sighting[];
}

/** Sums up what all workers of the run saw, and finds out who else suffers from it. */
export async function gatherRun(stores: RunStores, run: RunToGather, question: OthersQuestion): Promise<GatheredRun> {
  const { plan, answers, drill } = run;
  const gathering = new Gathering(question.promises);
  for (const sighting of [...plan.sightings, ...drillFindings(drill)]) {
    gathering.add(sighting);
  }
  for (const answer of answers) {
    gathering.addUnit(answer);
  }
  for await (const sighting of unitSightings(stores, answers)) {
    gathering.addUnitLine(sighting);
  }
  for await (const batch of readBatches(stores)) {
    gathering.addBatch(batch);
  }
  const others = await hurtOthers(stores.vault, question, gathering);
  return { gathering, others };
}

/** All that was found, once more: too much to be held. */
export async function* allSightings(
  stores: RunStores,
  { plan, answers, drill }: RunToGather,
  others: readonly Sighting[],
): AsyncGenerator<Sighting> {
  yield* plan.sightings;
  yield* drillFindings(drill);
  yield* unitSightings(stores, answers);
  for await (const { sightings } of readBatches(stores)) {
    yield* sightings;
  }
  yield* others;
}

function drillFindings(drill: DrillVerdict | undefined): readonly Sighting[] {
  return drill?.outcome === 'bad' ? [drill.finding] : [];
}
