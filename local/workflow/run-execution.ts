import type { Flow } from './definition.ts';
import type { Execution, ExecutionStatus, ExecutionView, Services } from './execution.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { runFlow } from './run-flow.ts';
import { countEvents, emit, type Scope } from './scope.ts';
import { Halted, StateFailure } from './state-failure.ts';

/** What is known of an execution before it runs. */
type NewExecution = Pick<
  ExecutionView,
  'executionArn' | 'stateMachineArn' | 'stateMachineName' | 'name' | 'type' | 'roleArn' | 'input' | 'mapRunArn'
>;

export function newExecution(start: NewExecution, nowEpochMillis: number): Execution {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    view: { ...start, status: 'RUNNING', startedAtEpochMillis: nowEpochMillis, historyEvents: 0, stateTransitions: 0 },
    abort: new AbortController(),
    ended: promise,
    markEnded: resolve,
  };
}

/** Runs an execution to its end and never rejects: how it ended is in its view. */
export async function runExecution(execution: Execution, flow: Flow, services: Services): Promise<void> {
  const scope: Scope = { execution, services, signal: execution.abort.signal };
  const limit = limitTime(execution, flow, services);
  emit(scope, 'executionStarted');
  try {
    countEvents(scope, 1);
    const output = await runFlow(flow, execution.view.input, scope);
    countEvents(scope, 1);
    endExecution(execution, services, { status: 'SUCCEEDED', output: roundTrip(output, "The execution's output") });
  } catch (error) {
    if (!(error instanceof Halted)) endExecution(execution, services, { status: 'FAILED', ...describeError(error) });
  } finally {
    limit.abort();
  }
}

interface Ending {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: JsonValue;
  readonly error?: string;
  readonly cause?: string;
}

/** The first ending counts: a stopped execution cannot succeed afterwards. */
export function endExecution(execution: Execution, services: Services, ending: Ending): void {
  if (execution.view.status !== 'RUNNING') return;
  const stoppedAtEpochMillis = services.clock.nowEpochMillis();
  execution.view = { ...execution.view, ...ending, stoppedAtEpochMillis };
  execution.abort.abort();
  const { status, error, cause } = ending;
  emit({ execution, services, signal: execution.abort.signal }, 'executionEnded', {
    status,
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    ...(execution.view.mapRunArn === undefined ? {} : { mapRunArn: execution.view.mapRunArn }),
  });
  execution.markEnded();
}

function limitTime(execution: Execution, flow: Flow, services: Services): AbortController {
  const limit = new AbortController();
  if (flow.timeoutSeconds === undefined) return limit;
  const sleep = services.clock.sleep(flow.timeoutSeconds * 1000, { signal: limit.signal, background: true });
  void sleep.then((outcome) => {
    if (outcome === 'elapsed') endExecution(execution, services, { status: 'TIMED_OUT' });
  });
  return limit;
}

function describeError(error: unknown): { readonly error?: string; readonly cause?: string } {
  if (error instanceof StateFailure) {
    return {
      ...(error.errorName === undefined ? {} : { error: error.errorName }),
      ...(error.causeText === undefined ? {} : { cause: error.causeText }),
    };
  }
  return { error: 'Local.Defect', cause: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
