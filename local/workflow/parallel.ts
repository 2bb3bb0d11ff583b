import type { ParallelState } from './definition.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { runFlow } from './run-flow.ts';
import type { StateRun } from './run-state.ts';
import { countEvents, subScope } from './scope.ts';

/** Runs all branches at once; the first that fails ends the others and fails the state. */
export async function runParallel(state: ParallelState, run: StateRun): Promise<JsonValue> {
  countEvents(run.scope, 1);
  const branches = subScope(run.scope);
  const running = state.branches.map((branch, index) =>
    runFlow(branch, roundTrip(run.effective, `The input of branch ${index} of "${run.name}"`), branches.scope),
  );
  try {
    const outputs = await Promise.all(running);
    countEvents(run.scope, 1);
    return outputs;
  } finally {
    branches.end();
    await Promise.allSettled(running);
  }
}
