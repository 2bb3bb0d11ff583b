/** What Step Functions knows of an execution. Adapter: `adapters/step-functions/`; twin: `test/support/`. */
export interface Executions {
  /** @returns undefined when Step Functions does not know the execution (it forgets after 90 days) */
  describe(executionArn: string): Promise<ExecutionState | undefined>;
}

export type ExecutionState =
  | { readonly status: 'running' }
  | { readonly status: 'ended'; readonly stoppedAtEpochMillis: number };
