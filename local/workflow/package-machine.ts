import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { JsonValue } from './json.ts';
import { runtimeFailure, StateFailure } from './state-failure.ts';

/**
 * Runs states of the package `aws-local-stepfunctions`, which evaluates everything that has to do with data: JSONPath,
 * payload templates, Choice rules, ResultPath. The order of states, Retry, Catch, Wait, time limits, Map and Parallel
 * are the runtime's own (run-flow.ts), because version 3 of the package
 *
 * - sleeps and times out on the wall clock, with 60 s for a Task that names no limit, and has no hook for another;
 * - overwrites `$$.Execution.Input` and `StartTime` in every branch and iteration, and knows no `$$.State`;
 * - stops at nothing, not even at 256 KiB, and tells nobody when a state is entered, except in an unbounded queue.
 *
 * @throws StateFailure with the package's error name
 */
export async function runPackageMachine(definition: StateMachineDefinition, input: JsonValue): Promise<JsonValue> {
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });
  try {
    return await machine.run(input).result;
  } catch (error) {
    if (error instanceof ExecutionError && error.cause instanceof Error) throw asFailure(error.cause);
    throw error;
  }
}

function asFailure(cause: Error): StateFailure {
  return cause.name.startsWith('States.') ? new StateFailure(cause.name, cause.message) : runtimeFailure(cause.message);
}
