import { applyInputPath, applyResultPath, applyTemplate } from './data-flow.ts';
import type { Catcher, Flow, Retrier, State } from './definition.ts';
import { type JsonValue, roundTrip } from './json.ts';
import type { PathScope } from './json-path.ts';
import { decideCatch, decideRetry } from './retry-policy.ts';
import { runState, type StateOutcome } from './run-state.ts';
import {
  contextObject,
  countEvents,
  countTransition,
  emit,
  type Scope,
  type StateMoment,
  sleepUntil,
} from './scope.ts';
import { Halted, runtimeFailure, StateFailure } from './state-failure.ts';

/**
 * Runs states one after the other until one ends the flow.
 *
 * History events, as AWS writes them: entered and exited for every state (Fail has no exit); three for each attempt of a
 * Task (scheduled, started, succeeded or failed); two for Parallel and for an inline Map (started, succeeded), two for
 * each iteration; four for a Distributed Map (started, run started, run ended, succeeded), whose children have
 * histories of their own; started and ended for the execution. Not counted apart: a Task's submission.
 *
 * @throws StateFailure when a state fails and nothing catches it; Halted when the scope ends
 */
export async function runFlow(flow: Flow, input: JsonValue, scope: Scope): Promise<JsonValue> {
  let name = flow.startAt;
  let value = input;
  for (;;) {
    const state = flow.states.get(name);
    if (state === undefined) throw runtimeFailure(`There is no state "${name}".`);
    const outcome = await enterState(name, state, value, scope);
    value = outcome.output;
    if (outcome.next === undefined) return value;
    name = outcome.next;
  }
}

async function enterState(name: string, state: State, input: JsonValue, scope: Scope): Promise<StateOutcome> {
  if (scope.signal.aborted) throw new Halted();
  const attempts = new Array<number>(retriersOf(state).length).fill(0);
  const enteredAtEpochMillis = scope.services.clock.nowEpochMillis();
  emit(scope, 'entered', { state: name });
  countTransition(scope);
  countEvents(scope, 1);
  for (let retryCount = 0; ; retryCount += 1) {
    const moment = { name, enteredAtEpochMillis, retryCount };
    try {
      const outcome = await attempt(state, input, { scope, moment });
      countEvents(scope, state.Type === 'Fail' ? 0 : 1);
      emit(scope, 'exited', { state: name });
      return outcome;
    } catch (error) {
      const outcome = await recover(state, input, { failure: asFailure(error), attempts, scope, moment });
      if (outcome !== 'retry') return outcome;
    }
  }
}

interface Attempt {
  readonly scope: Scope;
  readonly moment: StateMoment;
}

async function attempt(state: State, rawInput: JsonValue, { scope, moment }: Attempt): Promise<StateOutcome> {
  const context = contextObject(scope, moment);
  const raw: PathScope = { state: rawInput, context };
  const selected = state.Type === 'Fail' ? rawInput : await applyInputPath(state.InputPath, raw);
  const parameters = 'Parameters' in state && state.Type !== 'Map' ? state.Parameters : undefined;
  const effective = roundTrip(
    await applyTemplate(parameters, { state: selected, context }),
    `The input of state "${moment.name}"`,
  );
  const outcome = await runState(state, { effective, context, rawInput, scope, name: moment.name });
  const output = await shapeOutput(state, outcome.output, raw);
  return { ...outcome, output: roundTrip(output, `The output of state "${moment.name}"`) };
}

async function shapeOutput(state: State, result: JsonValue, raw: PathScope): Promise<JsonValue> {
  const selector = 'ResultSelector' in state ? state.ResultSelector : undefined;
  const selected = await applyTemplate(selector, { state: result, context: raw.context });
  const resultPath = 'ResultPath' in state ? state.ResultPath : undefined;
  const merged = await applyResultPath(resultPath, raw.state, selected);
  const outputPath = 'OutputPath' in state ? state.OutputPath : undefined;
  return await applyInputPath(outputPath, { state: merged, context: raw.context });
}

interface Trouble extends Attempt {
  readonly failure: StateFailure;
  /** Retries spent per retrier; counted up here. */
  readonly attempts: number[];
}

/** Retry first, then Catch; what neither takes fails the flow. */
async function recover(state: State, input: JsonValue, trouble: Trouble): Promise<StateOutcome | 'retry'> {
  const { failure, attempts, scope, moment } = trouble;
  const named = { state: moment.name, ...describe(failure) };
  emit(scope, 'failed', named);
  const retry = decideRetry(retriersOf(state), failure, attempts, scope.services.random);
  if (retry !== undefined) {
    attempts[retry.retrierIndex] = (attempts[retry.retrierIndex] ?? 0) + 1;
    emit(scope, 'retried', { ...named, retryDelayMillis: retry.delayMillis });
    countTransition(scope);
    await sleepUntil(scope, scope.services.clock.nowEpochMillis() + retry.delayMillis);
    return 'retry';
  }
  const catcher = decideCatch(catchersOf(state), failure);
  if (catcher === undefined) throw failure;
  emit(scope, 'caught', named);
  countEvents(scope, 1);
  const errorOutput = { Error: failure.errorName ?? '', Cause: failure.causeText ?? '' };
  const output = await applyResultPath(catcher.ResultPath, input, errorOutput);
  return { output: roundTrip(output, `The error output of state "${moment.name}"`), next: catcher.Next };
}

function describe(failure: StateFailure): { readonly error?: string; readonly cause?: string } {
  return {
    ...(failure.errorName === undefined ? {} : { error: failure.errorName }),
    ...(failure.causeText === undefined ? {} : { cause: failure.causeText }),
  };
}

/** @throws anything that is no failure of the state: Halted, and mistakes of the runtime itself */
function asFailure(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  throw error;
}

function retriersOf(state: State): readonly Retrier[] {
  return 'Retry' in state ? (state.Retry ?? []) : [];
}

function catchersOf(state: State): readonly Catcher[] {
  return 'Catch' in state ? (state.Catch ?? []) : [];
}
