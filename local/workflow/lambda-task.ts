// cspell:words Timedout
import * as z from 'zod/mini';
import { type JsonValue, roundTrip } from './json.ts';
import { parseWith } from './parse-with.ts';
import type { StateRun } from './run-state.ts';
import { runtimeFailure, StateFailure } from './state-failure.ts';

/** Lambda itself failed, not the function: `Lambda.TooManyRequestsException`, `Sandbox.Timedout`, `Lambda.Unknown`. */
export class LambdaServiceError extends Error {
  override readonly name = 'LambdaServiceError';
  readonly errorName: string;

  constructor(errorName: string, cause: string) {
    super(cause);
    this.errorName = errorName;
  }
}

/** As AWS reports a function that did not end in its time: the error name Sandbox.Timedout, a JSON cause. */
export function sandboxTimedOut(requestId: string, timeoutSeconds: number): LambdaServiceError {
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`;
  return new LambdaServiceError('Sandbox.Timedout', JSON.stringify({ errorType: 'Sandbox.Timedout', errorMessage }));
}

/** As AWS reports throttling by the account's concurrency. */
export function tooManyRequests(): LambdaServiceError {
  return new LambdaServiceError(
    'Lambda.TooManyRequestsException',
    'Rate Exceeded. (Service: Lambda, Status Code: 429, Request ID: local)',
  );
}

const invokeParameters = z.strictObject({
  FunctionName: z.string(),
  Payload: z.optional(z.json()),
  Qualifier: z.optional(z.string()),
  InvocationType: z.optional(z.literal('RequestResponse')),
});

/** The function's ARN is the resource: the state's input is the payload, the payload is the result. */
export async function invokeByArn(functionArn: string, run: StateRun): Promise<JsonValue> {
  return await invoke(functionArn, run.effective, run);
}

/** `lambda:invoke` with FunctionName and Payload; the result wraps the function's. */
export async function invokeByParameters(run: StateRun): Promise<JsonValue> {
  const parsed = parseWith(invokeParameters, run.effective, (problem) =>
    runtimeFailure(`lambda:invoke of "${run.name}": ${problem}`),
  );
  const { FunctionName: name, Qualifier: qualifier, Payload: payload } = parsed;
  const functionNameOrArn = qualifier === undefined ? name : `${name}:${qualifier}`;
  return { ExecutedVersion: '$LATEST', Payload: await invoke(functionNameOrArn, payload ?? {}, run), StatusCode: 200 };
}

async function invoke(functionNameOrArn: string, payload: JsonValue, run: StateRun): Promise<JsonValue> {
  const { execution, services } = run.scope;
  let result: JsonValue;
  try {
    result = await services.invoke({
      functionNameOrArn,
      payload: roundTrip(payload, `The payload for ${functionNameOrArn}`),
      executionArn: execution.view.executionArn,
      state: run.name,
    });
  } catch (error) {
    throw error instanceof StateFailure ? error : asLambdaFailure(error);
  }
  return roundTrip(result, `The result of ${functionNameOrArn}`);
}

/** Error is the thrown error's name, Cause a JSON string, as the Node.js runtime and Step Functions make them. */
function asLambdaFailure(error: unknown): StateFailure {
  if (error instanceof LambdaServiceError) return new StateFailure(error.errorName, error.message);
  const thrown = error instanceof Error ? error : new Error(String(error));
  const cause = {
    errorType: thrown.name,
    errorMessage: thrown.message,
    trace: (thrown.stack ?? '').split('\n'),
  };
  return new StateFailure(thrown.name, JSON.stringify(cause));
}
