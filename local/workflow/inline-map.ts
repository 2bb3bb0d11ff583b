import pMap from 'p-map';
import type { MapState } from './definition.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { itemInput, itemsOfState, maxConcurrencyOf } from './map-items.ts';
import { runFlow } from './run-flow.ts';
import type { StateRun } from './run-state.ts';
import { countEvents, emit, subScope } from './scope.ts';

/** What an inline Map runs at once when it says nothing (Step Functions developer guide: up to 40). */
const INLINE_CONCURRENCY = 40;

/** Iterations share the execution: its history, its `$$`, its end. The first that fails fails the state. */
export async function runInlineMap(state: MapState, run: StateRun): Promise<JsonValue> {
  const items = await itemsOfState(state, run);
  const asked = await maxConcurrencyOf(state, run);
  countEvents(run.scope, 1);
  const iterations = subScope(run.scope);
  const running: Promise<JsonValue>[] = [];
  const iterate = async (item: JsonValue, index: number) => {
    const iteration = runIteration(state, { item, index }, { ...run, scope: iterations.scope });
    running.push(iteration);
    return await iteration;
  };
  try {
    const outputs = await pMap(items, iterate, {
      concurrency: Math.min(asked || INLINE_CONCURRENCY, run.scope.services.maxConcurrency),
    });
    countEvents(run.scope, 1);
    return outputs;
  } finally {
    iterations.end();
    await Promise.allSettled(running);
  }
}

interface Item {
  readonly item: JsonValue;
  readonly index: number;
}

async function runIteration(state: MapState, { item, index }: Item, run: StateRun): Promise<JsonValue> {
  emit(run.scope, 'mapItemStarted', { state: run.name, itemIndex: index });
  countEvents(run.scope, 1);
  const input = await itemInput(state, { item, index }, run);
  const output = await runFlow(state.processor, roundTrip(input, `Item ${index} of "${run.name}"`), run.scope);
  countEvents(run.scope, 1);
  emit(run.scope, 'mapItemEnded', { state: run.name, itemIndex: index });
  return output;
}
