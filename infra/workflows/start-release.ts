import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { retryServiceCall } from './retries.ts';

/** What `states:startExecution` answers when an execution of this name ran before: the release was started. */
export const ALREADY_STARTED = 'StepFunctions.ExecutionAlreadyExistsException';

interface ReleaseStart {
  readonly release: sfn.IStateMachine;
  /** Where `cluster` and `nonce` are. */
  readonly path: string;
  readonly reason: 'end' | 'abort';
  /** @default - a name that Step Functions chooses */
  readonly name?: string;
}

/** Starts `Release` and does not wait for it. Starting it twice does no harm: the second finds the intent record settled. */
export function startRelease(scope: Construct, name: string, props: ReleaseStart): tasks.StepFunctionsStartExecution {
  const task = tasks.StepFunctionsStartExecution.jsonPath(scope, name, {
    stateMachine: props.release,
    integrationPattern: sfn.IntegrationPattern.REQUEST_RESPONSE,
    input: sfn.TaskInput.fromObject({
      cluster: sfn.JsonPath.stringAt(`${props.path}.cluster`),
      nonce: sfn.JsonPath.stringAt(`${props.path}.nonce`),
      reason: props.reason,
    }),
    ...(props.name === undefined ? {} : { name: props.name }),
    resultPath: sfn.JsonPath.DISCARD,
  });
  retryServiceCall(task, props.name === undefined ? [] : [ALREADY_STARTED]);
  return task;
}
