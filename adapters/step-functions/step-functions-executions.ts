import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionState, Executions } from '../../core/ports/executions.ts';

export interface AwsClientOptions {
  /** As request ledgers show it. */
  readonly caller: string;
  /** @default - AWS */
  readonly endpoint?: string;
}

export class StepFunctionsExecutions implements Executions {
  readonly #client: SFNClient;

  constructor(options: AwsClientOptions) {
    this.#client = new SFNClient({
      customUserAgent: [['rankvault', options.caller]],
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    });
  }

  async describe(executionArn: string): Promise<ExecutionState | undefined> {
    try {
      const answer = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      return answer.stopDate === undefined
        ? { status: 'running' }
        : { status: 'ended', stoppedAtEpochMillis: answer.stopDate.getTime() };
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) {
        return undefined;
      }
      throw error;
    }
  }
}
