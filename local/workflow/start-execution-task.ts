import * as z from 'zod/mini';
import type { ExecutionView, TaskHandler } from './execution.ts';
import { parseWith } from './parse-with.ts';
import type { StartRequest } from './runtime.ts';
import { runtimeFailure, StateFailure } from './state-failure.ts';

const parameters = z.strictObject({
  StateMachineArn: z.string(),
  Input: z.optional(z.json()),
  Name: z.optional(z.string()),
});

/** `states:startExecution`, fire and forget. API errors get the prefix and suffix that the integration gives them. */
export function startExecutionTask(start: (request: StartRequest) => ExecutionView): TaskHandler {
  return async (request) => {
    const parsed = parseWith(parameters, request.parameters, (problem) =>
      runtimeFailure(`startExecution of "${request.state}": ${problem}`),
    );
    const { StateMachineArn: stateMachineArn, Input: input = {}, Name: name } = parsed;
    try {
      const started = start({ stateMachineArn, input, ...(name === undefined ? {} : { name }) });
      return { ExecutionArn: started.executionArn, StartDate: started.startedAtEpochMillis / 1000 };
    } catch (error) {
      if (error instanceof StateFailure || !(error instanceof Error)) throw error;
      throw new StateFailure(`StepFunctions.${error.name}Exception`, error.message);
    }
  };
}
