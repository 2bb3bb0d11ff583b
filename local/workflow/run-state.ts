import { chooseNext } from './choice.ts';
import type { FailState, State, WaitState } from './definition.ts';
import { runDistributedMap } from './distributed-map.ts';
import { runInlineMap } from './inline-map.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { type PathScope, selectPath } from './json-path.ts';
import { runParallel } from './parallel.ts';
import { evaluateExpression } from './payload-template.ts';
import { type Scope, sleepUntil } from './scope.ts';
import { runtimeFailure, StateFailure } from './state-failure.ts';
import { runTask } from './task.ts';

export interface StateOutcome {
  readonly output: JsonValue;
  /** Undefined when the state ends its flow. */
  readonly next: string | undefined;
}

/** One attempt of one state. */
export interface StateRun {
  readonly name: string;
  /** After InputPath and Parameters. */
  readonly effective: JsonValue;
  readonly rawInput: JsonValue;
  readonly context: JsonObject;
  readonly scope: Scope;
}

/** Does what a state does, between its effective input and its result. */
export async function runState(state: State, run: StateRun): Promise<StateOutcome> {
  switch (state.Type) {
    case 'Pass':
      return { output: state.Result ?? run.effective, next: state.Next };
    case 'Task':
      return { output: await runTask(state, run), next: state.Next };
    case 'Wait':
      await runWait(state, run);
      return { output: run.effective, next: state.Next };
    case 'Choice':
      return { output: run.effective, next: await chooseNext(state, pathScope(run)) };
    case 'Succeed':
      return { output: run.effective, next: undefined };
    case 'Fail':
      throw await failureOf(state, pathScope(run));
    case 'Parallel':
      return { output: await runParallel(state, run), next: state.Next };
    case 'Map': {
      const runMap = state.processor.mode === 'DISTRIBUTED' ? runDistributedMap : runInlineMap;
      return { output: await runMap(state, run), next: state.Next };
    }
  }
}

export function pathScope(run: StateRun): PathScope {
  return { state: run.effective, context: run.context };
}

async function runWait(state: WaitState, run: StateRun): Promise<void> {
  await sleepUntil(run.scope, await wakeTime(state, run));
}

async function wakeTime(state: WaitState, run: StateRun): Promise<number> {
  const now = run.scope.services.clock.nowEpochMillis();
  if (state.Seconds !== undefined) return now + state.Seconds * 1000;
  if (state.SecondsPath !== undefined) {
    const seconds = await selectPath(state.SecondsPath, pathScope(run));
    if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0) return now + seconds * 1000;
    throw runtimeFailure(`SecondsPath '${state.SecondsPath}' gives ${JSON.stringify(seconds)}, not a whole number.`);
  }
  const timestamp =
    state.TimestampPath === undefined ? state.Timestamp : await selectPath(state.TimestampPath, pathScope(run));
  const epochMillis = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(epochMillis)) throw runtimeFailure(`${JSON.stringify(timestamp)} is not a timestamp to wait for.`);
  return epochMillis;
}

async function failureOf(state: FailState, scope: PathScope): Promise<StateFailure> {
  return new StateFailure(
    state.ErrorPath === undefined ? state.Error : await text(state.ErrorPath, scope),
    state.CausePath === undefined ? state.Cause : await text(state.CausePath, scope),
  );
}

async function text(source: string, scope: PathScope): Promise<string> {
  const value = await evaluateExpression(source, scope);
  if (typeof value === 'string') return value;
  throw runtimeFailure(`'${source}' gives ${JSON.stringify(value)}, and a Fail state wants a string.`);
}
