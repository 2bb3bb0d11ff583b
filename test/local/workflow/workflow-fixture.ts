import { S3Client } from '@aws-sdk/client-s3';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
import type { ExecutionView, InvokeFunction, WorkflowEvent } from '../../../local/workflow/execution.ts';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { createWorkflowRuntime, type WorkflowRuntimeOptions } from '../../../local/workflow/runtime.ts';

export const MACHINE_ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:Sample';
export const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:work';
export const START = Date.UTC(2026, 0, 2, 3, 4, 5);

export interface Fixture {
  readonly runtime: ReturnType<typeof createWorkflowRuntime>;
  readonly clock: SimulatedClock;
  readonly events: WorkflowEvent[];
  /** Starts the machine and waits for its end. */
  run(input?: JsonValue, name?: string): Promise<ExecutionView>;
}

type FixtureOptions = Partial<WorkflowRuntimeOptions> & { readonly autoAdvance?: boolean };

/** One machine, `Sample`, on a clock that jumps ahead by itself. */
export function fixture(definition: JsonObject, options: FixtureOptions = {}): Fixture {
  const clock = new SimulatedClock({ startEpochMillis: START, autoAdvance: options.autoAdvance ?? true });
  const events: WorkflowEvent[] = [];
  const runtime = createWorkflowRuntime({
    machines: [{ arn: MACHINE_ARN, name: 'Sample', roleArn: 'arn:aws:iam::000000000000:role/sample', definition }],
    invokeFunction: options.invokeFunction ?? echo,
    s3: options.s3 ?? new S3Client({ region: 'us-east-1' }),
    clock,
    onEvent: (event) => events.push(event),
    random: () => 0.5,
    ...options,
  });
  return {
    runtime,
    clock,
    events,
    run: async (input = {}, name = 'run') =>
      await runtime.result(runtime.start({ stateMachineArn: MACHINE_ARN, input, name }).executionArn),
  };
}

const echo: InvokeFunction = async (_name, payload) => payload;

export function flow(states: JsonObject, startAt?: string): JsonObject {
  return { StartAt: startAt ?? Object.keys(states)[0] ?? '', States: states };
}

/** A Task that calls the function with the state's input, and its result is the output. */
export function lambda(rest: JsonObject = { End: true }): JsonObject {
  return { Type: 'Task', Resource: FUNCTION_ARN, ...rest };
}

export function pass(rest: JsonObject): JsonObject {
  return { Type: 'Pass', End: true, ...rest };
}

/** A handler's error: the runtime reports its name. */
export function failure(name: string, message = 'no'): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
