import type { TaskState } from './definition.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { invokeByArn, invokeByParameters } from './lambda-task.ts';
import { numberOf } from './map-items.ts';
import type { StateRun } from './run-state.ts';
import { countEvents, type Scope, whileAlive } from './scope.ts';
import { StateFailure, timedOut, unsupported } from './state-failure.ts';

/** `arn:aws:states:::sns:publish` and, with region and account, the same. */
const INTEGRATION = /^arn:[^:]+:states:[^:]*:[^:]*:(.+)$/;
const FUNCTION = /^arn:[^:]+:lambda:[^:]+:[^:]+:function:/;

/**
 * One attempt of a Task. Its time limit runs on the clock; what exceeds it is not killed, its result is ignored.
 *
 * @throws StateFailure with the service's error name, `States.Timeout`, or `Local.Unsupported`
 */
export async function runTask(state: TaskState, run: StateRun): Promise<JsonValue> {
  const timeoutSeconds = await numberOf(state.TimeoutSeconds, state.TimeoutSecondsPath, {
    ...run,
    effective: run.rawInput,
  });
  // Scheduled and started; one that waits for what it started is also submitted.
  countEvents(run.scope, state.Resource.includes('.sync') ? 3 : 2);
  const over = new AbortController();
  try {
    const result = await withinLimit(run.scope, timeoutSeconds, callResource(state.Resource, run, over.signal));
    return roundTrip(result, `The result of state "${run.name}"`);
  } finally {
    over.abort();
    countAttemptEnd(run.scope);
  }
}

/** The third event of an attempt; the limit is left to the next count, so as not to hide the attempt's own error. */
function countAttemptEnd({ execution }: Scope): void {
  execution.view = { ...execution.view, historyEvents: execution.view.historyEvents + 1 };
}

async function callResource(resource: string, run: StateRun, over: AbortSignal): Promise<JsonValue> {
  if (FUNCTION.test(resource)) return await invokeByArn(resource, run);
  const integration = INTEGRATION.exec(resource)?.[1];
  if (integration === 'lambda:invoke') return await invokeByParameters(run);
  const handler = integration === undefined ? undefined : run.scope.services.tasks.get(integration);
  if (handler === undefined) throw unsupported(`State "${run.name}" calls ${resource}.`);
  const { executionArn } = run.scope.execution.view;
  const signal = AbortSignal.any([run.scope.signal, over]);
  try {
    return await handler({ parameters: run.effective, executionArn, state: run.name, signal });
  } catch (error) {
    throw asTaskFailure(error);
  }
}

function asTaskFailure(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  if (error instanceof Error) return new StateFailure(error.name, error.message);
  return new StateFailure('States.TaskFailed', String(error));
}

async function withinLimit<T>(scope: Scope, timeoutSeconds: number | undefined, work: Promise<T>): Promise<T> {
  if (timeoutSeconds === undefined) return await whileAlive(scope, work);
  const limit = new AbortController();
  const alarm = scope.services.clock
    .sleep(timeoutSeconds * 1000, { signal: limit.signal, background: true })
    .then((outcome) => {
      if (outcome === 'elapsed') throw timedOut(`The task did not end within ${timeoutSeconds} seconds.`);
      return outcome;
    });
  try {
    return await whileAlive(scope, Promise.race([work, alarm.then(() => work)]));
  } finally {
    limit.abort();
  }
}
