// cspell:words redrive redrivable
import * as z from 'zod/mini';
import type { ExecutionView, TaskHandler, TaskRequest } from './execution.ts';
import type { JsonObject } from './json.ts';
import { parseWith } from './parse-with.ts';
import type { StartRequest } from './runtime.ts';
import { runtimeFailure, STATES_TASK_FAILED, StateFailure } from './state-failure.ts';

const parameters = z.strictObject({
  StateMachineArn: z.string(),
  Input: z.optional(z.json()),
  Name: z.optional(z.string()),
});

/** What the integration calls of Step Functions itself. */
export interface ExecutionCalls {
  readonly start: (request: StartRequest) => ExecutionView;
  /** Waits for the end, however it comes. */
  readonly result: (executionArn: string) => Promise<ExecutionView>;
  readonly stop: (executionArn: string, reason: { readonly cause: string }) => unknown;
}

/** `states:startExecution`, fire and forget. Dates are epoch milliseconds, unlike the API's own seconds. */
export function startExecutionTask(calls: ExecutionCalls): TaskHandler {
  return async (request) => {
    const started = startChild(request, calls);
    return { ExecutionArn: started.executionArn, StartDate: started.startedAtEpochMillis };
  };
}

/**
 * `states:startExecution.sync:2`: waits for the child's end. The result is the child's description with Input and Output as JSON; a child that
 * does not succeed fails the task, and its description is the cause. A task that ends before its child stops it.
 */
export function startExecutionSyncTask(calls: ExecutionCalls): TaskHandler {
  return async (request) => {
    const { executionArn } = startChild(request, calls);
    const stop = () => {
      const cause = `The Task state in AWS Step Functions execution [${request.executionArn}] which was managing this resource was aborted`;
      calls.stop(executionArn, { cause });
    };
    if (request.signal.aborted) stop();
    request.signal.addEventListener('abort', stop, { once: true });
    const view = await calls.result(executionArn);
    request.signal.removeEventListener('abort', stop);
    if (view.status === 'SUCCEEDED') return description(view, { Input: view.input, Output: view.output ?? null });
    throw new StateFailure(
      STATES_TASK_FAILED,
      JSON.stringify(description(view, { Input: JSON.stringify(view.input) })),
    );
  };
}

/** API errors get the prefix and suffix that the integration gives them. */
function startChild(request: TaskRequest, calls: ExecutionCalls): ExecutionView {
  const parsed = parseWith(parameters, request.parameters, (problem) =>
    runtimeFailure(`startExecution of "${request.state}": ${problem}`),
  );
  const { StateMachineArn: stateMachineArn, Input: input = {}, Name: name } = parsed;
  try {
    return calls.start({ stateMachineArn, input, ...(name === undefined ? {} : { name }) });
  } catch (error) {
    if (error instanceof StateFailure || !(error instanceof Error)) throw error;
    throw new StateFailure(`StepFunctions.${error.name}Exception`, error.message);
  }
}

/** DescribeExecution as the integration gives it: its names capitalized and in alphabetical order, dates in epoch milliseconds. */
function description(view: ExecutionView, payloads: JsonObject): JsonObject {
  const hasOutput = 'Output' in payloads;
  const all: JsonObject = {
    ...payloads,
    ...(view.cause === undefined ? {} : { Cause: view.cause }),
    ...(view.error === undefined ? {} : { Error: view.error }),
    ExecutionArn: view.executionArn,
    InputDetails: { Included: true },
    Name: view.name,
    ...(hasOutput ? { OutputDetails: { Included: true } } : {}),
    RedriveCount: 0,
    RedriveStatus: hasOutput ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
    ...(hasOutput ? { RedriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven' } : {}),
    StartDate: view.startedAtEpochMillis,
    StateMachineArn: view.stateMachineArn,
    Status: view.status,
    StopDate: view.stoppedAtEpochMillis ?? null,
  };
  return Object.fromEntries(Object.entries(all).sort(([left], [right]) => (left < right ? -1 : 1)));
}
