import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { retryServiceCall } from './retries.ts';
import { ALREADY_STARTED } from './start-release.ts';

/**
 * Starts `Maintain` to expire what the run's backup need not keep any more, and does not wait for it. Named by the nonce, so that a
 * repeated start is no second execution; it waits for its turn by itself.
 */
export function startExpiry(
  scope: Construct,
  name: string,
  maintain: sfn.IStateMachine,
): tasks.StepFunctionsStartExecution {
  const task = tasks.StepFunctionsStartExecution.jsonPath(scope, name, {
    stateMachine: maintain,
    integrationPattern: sfn.IntegrationPattern.REQUEST_RESPONSE,
    input: sfn.TaskInput.fromObject({
      action: 'expire',
      backup: sfn.JsonPath.stringAt('$.run.backup'),
      wait: true,
      after: sfn.JsonPath.stringAt('$.run.snapshot'),
    }),
    name: sfn.JsonPath.format('expire-{}', sfn.JsonPath.stringAt('$.run.nonce')),
    resultPath: sfn.JsonPath.DISCARD,
  });
  retryServiceCall(task, [ALREADY_STARTED]);
  return task;
}
