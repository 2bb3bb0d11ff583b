import type { ExecutionState, Executions } from '../../core/ports/executions.ts';

/** Executions as a test says they are; one that it does not name is unknown. */
export class InMemoryExecutions implements Executions {
  readonly states = new Map<string, ExecutionState>();

  describe(executionArn: string): Promise<ExecutionState | undefined> {
    return Promise.resolve(this.states.get(executionArn));
  }
}
