// cspell:words redrive
import * as z from 'zod/mini';
import type { ExecutionView } from '../workflow/execution.ts';
import { type JsonObject, type JsonValue, parseJson } from '../workflow/json.ts';
import { parseWith } from '../workflow/parse-with.ts';
import type { WorkflowRuntime } from '../workflow/runtime.ts';
import { StateFailure } from '../workflow/state-failure.ts';
import { ApiError, notImplemented, validationError } from './api-error.ts';

/** What ListExecutions and ListStateMachines return at most, and by default (Step Functions API reference). */
const PAGE_MAX_ITEMS = 1000;
const PAGE_DEFAULT_ITEMS = 100;

const page = { maxResults: z.optional(z.number()), nextToken: z.optional(z.string()) };
const start = z.looseObject({
  stateMachineArn: z.string(),
  name: z.optional(z.string()),
  input: z.optional(z.string()),
});
const named = z.looseObject({ executionArn: z.string() });
const stop = z.looseObject({ executionArn: z.string(), error: z.optional(z.string()), cause: z.optional(z.string()) });
const list = z.looseObject({
  ...page,
  stateMachineArn: z.optional(z.string()),
  mapRunArn: z.optional(z.string()),
  statusFilter: z.optional(z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'])),
});

/** The operations of `AWSStepFunctions` that handlers and the command line call. */
export function stepFunctionsApi(runtime: WorkflowRuntime) {
  return (operation: string, body: JsonValue): JsonObject => {
    try {
      return call(runtime, operation, body);
    } catch (error) {
      throw asApiError(error);
    }
  };
}

function call(runtime: WorkflowRuntime, operation: string, body: JsonValue): JsonObject {
  switch (operation) {
    case 'StartExecution': {
      const { stateMachineArn, name, input = '{}' } = parse(start, body);
      const view = runtime.start({
        stateMachineArn,
        input: parseInput(input),
        ...(name === undefined ? {} : { name }),
      });
      return { executionArn: view.executionArn, startDate: view.startedAtEpochMillis / 1000 };
    }
    case 'DescribeExecution':
      return describe(runtime.describe(parse(named, body).executionArn));
    case 'StopExecution': {
      const { executionArn, error, cause } = parse(stop, body);
      const reason = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
      return { stopDate: (runtime.stop(executionArn, reason).stoppedAtEpochMillis ?? 0) / 1000 };
    }
    case 'ListExecutions':
      return listExecutions(runtime, parse(list, body));
    case 'ListStateMachines': {
      const machines = runtime.machines.map(({ arn, name, type = 'STANDARD' }) => ({
        stateMachineArn: arn,
        name,
        type,
        creationDate: 0,
      }));
      return paged('stateMachines', machines, parse(z.looseObject(page), body));
    }
    default:
      throw notImplemented(`states:${operation}`);
  }
}

function listExecutions(runtime: WorkflowRuntime, request: z.infer<typeof list>): JsonObject {
  const { stateMachineArn, mapRunArn, statusFilter: status } = request;
  const views = runtime.list({
    ...(stateMachineArn === undefined ? {} : { stateMachineArn }),
    ...(mapRunArn === undefined ? {} : { mapRunArn }),
    ...(status === undefined ? {} : { status }),
  });
  return paged('executions', views.map(summarize), request);
}

function paged(
  key: string,
  items: JsonObject[],
  { maxResults, nextToken }: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
): JsonObject {
  const from = Number(nextToken ?? 0);
  const until = from + Math.min(maxResults || PAGE_DEFAULT_ITEMS, PAGE_MAX_ITEMS);
  return { [key]: items.slice(from, until), ...(until < items.length ? { nextToken: String(until) } : {}) };
}

function summarize(view: ExecutionView): JsonObject {
  return {
    executionArn: view.executionArn,
    stateMachineArn: view.stateMachineArn,
    name: view.name,
    status: view.status,
    startDate: view.startedAtEpochMillis / 1000,
    redriveCount: 0,
    ...(view.stoppedAtEpochMillis === undefined ? {} : { stopDate: view.stoppedAtEpochMillis / 1000 }),
    ...(view.mapRunArn === undefined ? {} : { mapRunArn: view.mapRunArn }),
  };
}

function describe(view: ExecutionView): JsonObject {
  return {
    ...summarize(view),
    input: JSON.stringify(view.input),
    inputDetails: { included: true },
    ...(view.output === undefined ? {} : { output: JSON.stringify(view.output), outputDetails: { included: true } }),
    ...(view.error === undefined ? {} : { error: view.error }),
    ...(view.cause === undefined ? {} : { cause: view.cause }),
  };
}

function parseInput(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    throw new ApiError('InvalidExecutionInput', `Invalid State Machine Execution Input: ${String(error)}`);
  }
}

function parse<T extends z.ZodMiniType>(schema: T, body: JsonValue): z.output<T> {
  return parseWith(schema, body, validationError);
}

/** The runtime's errors have the API's names; an input that is too large is refused as invalid. */
function asApiError(error: unknown): unknown {
  if (error instanceof ApiError || !(error instanceof Error)) return error;
  if (error instanceof StateFailure) return validationError(error.message);
  return new ApiError(error.name, error.message);
}
