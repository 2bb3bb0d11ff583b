// cspell:words Redrive
import { type Execution, HISTORY_MAX_EVENTS, type Services, type WorkflowEvent } from './execution.ts';
import type { JsonObject } from './json.ts';
import { Halted, runtimeFailure } from './state-failure.ts';

/** Where a state runs: its execution, and the signal that ends its branch. */
export interface Scope {
  readonly execution: Execution;
  readonly services: Services;
  readonly signal: AbortSignal;
}

export interface StateMoment {
  readonly name: string;
  readonly enteredAtEpochMillis: number;
  readonly retryCount: number;
}

/** `$$` of a state. Items of a Map are added by the Map, for its ItemSelector only, as the developer guide has it. */
export function contextObject(scope: Scope, moment: StateMoment): JsonObject {
  const { view } = scope.execution;
  return {
    Execution: {
      Id: view.executionArn,
      Input: view.input,
      Name: view.name,
      RoleArn: view.roleArn,
      StartTime: new Date(view.startedAtEpochMillis).toISOString(),
      RedriveCount: 0,
    },
    State: {
      Name: moment.name,
      EnteredTime: new Date(moment.enteredAtEpochMillis).toISOString(),
      RetryCount: moment.retryCount,
    },
    StateMachine: { Id: view.stateMachineArn, Name: view.stateMachineName },
  };
}

/**
 * Counts history events as AWS would write them; README of the numbers: run-flow.ts.
 *
 * @throws StateFailure `States.Runtime` past 25,000 events of a Standard execution
 */
export function countEvents(scope: Scope, events: number): void {
  const { execution } = scope;
  const historyEvents = execution.view.historyEvents + events;
  execution.view = { ...execution.view, historyEvents };
  if (execution.view.type === 'STANDARD' && historyEvents > HISTORY_MAX_EVENTS) {
    throw runtimeFailure('The execution reached the maximum number of history events (25000).');
  }
}

export function countTransition(scope: Scope): void {
  const { execution } = scope;
  execution.view = { ...execution.view, stateTransitions: execution.view.stateTransitions + 1 };
}

type EventDetails = Partial<Omit<WorkflowEvent, 'type' | 'executionArn' | 'machine' | 'atEpochMillis'>>;

export function emit(scope: Scope, type: WorkflowEvent['type'], details: EventDetails = {}): void {
  const { execution, services } = scope;
  if (scope.signal.aborted && type !== 'executionEnded') return;
  services.emit({
    state: '',
    ...details,
    type,
    executionArn: execution.view.executionArn,
    machine: execution.view.stateMachineName,
    atEpochMillis: services.clock.nowEpochMillis(),
  });
}

/** A part of this scope that can be ended alone: a branch, a Map's children. */
export function subScope(scope: Scope): { readonly scope: Scope; readonly end: () => void } {
  const controller = new AbortController();
  const signal = AbortSignal.any([scope.signal, controller.signal]);
  return { scope: { ...scope, signal }, end: () => controller.abort() };
}

/** Waits for work only as long as the scope lives; the work itself is not killed, its result is ignored. */
export async function whileAlive<T>(scope: Scope, work: Promise<T>): Promise<T> {
  if (scope.signal.aborted) {
    work.catch(() => undefined);
    throw new Halted();
  }
  const halted = Promise.withResolvers<never>();
  const onAbort = () => halted.reject(new Halted());
  scope.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, halted.promise]);
  } finally {
    scope.signal.removeEventListener('abort', onAbort);
  }
}

/** @throws Halted when the clock did not get there because the scope ended */
export async function sleepUntil(scope: Scope, epochMillis: number): Promise<void> {
  const { clock } = scope.services;
  const outcome = await clock.sleep(epochMillis - clock.nowEpochMillis(), { signal: scope.signal });
  if (outcome === 'cancelled') throw new Halted();
}
