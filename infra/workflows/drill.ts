import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { retryStart } from './retries.ts';
import type { VerifyWorkflowContext } from './verify.ts';

/**
 * Restores into the scratch cluster and waits for it; then restores again, which compares by checksum and has to find nothing to do.
 * That a restore fails is what the drill was to find out: it is concluded like any other finding.
 */
export function drill(context: VerifyWorkflowContext, conclude: sfn.IChainable): sfn.Chain {
  const restore = restoreAndWait(context, {
    name: 'Restore into the scratch cluster',
    execution: 'drill-{}',
    // What an earlier drill left there would be kept, and its bytes in the vault never read.
    options: { placeAll: true },
    resultPath: '$.restored',
  });
  const again = restoreAndWait(context, {
    name: 'Compare by restoring again',
    execution: 'drill-again-{}',
    options: {},
    resultPath: '$.compared',
  });
  for (const task of [restore, again]) {
    task.addCatch(conclude, { errors: [sfn.Errors.ALL], resultPath: '$.restoreFailure' });
  }
  return sfn.Chain.start(restore).next(again).next(conclude);
}

interface DrilledRestore {
  readonly name: string;
  /** Of the execution of Restore: named, so that a repeated start is no second one. */
  readonly execution: string;
  /** Beside those that both have. */
  readonly options: Readonly<Record<string, boolean>>;
  readonly resultPath: string;
}

function restoreAndWait(
  { scope, restore }: VerifyWorkflowContext,
  { name, execution, options, resultPath }: DrilledRestore,
): tasks.StepFunctionsStartExecution {
  const task = tasks.StepFunctionsStartExecution.jsonPath(scope, name, {
    stateMachine: restore,
    integrationPattern: sfn.IntegrationPattern.RUN_JOB,
    input: sfn.TaskInput.fromObject({
      backup: sfn.JsonPath.stringAt('$.run.backup'),
      snapshot: sfn.JsonPath.stringAt('$.run.snapshot'),
      cluster: sfn.JsonPath.stringAt('$.run.cluster'),
      options: { policy: 'replace', targetIsStopped: true, ...options },
    }),
    name: sfn.JsonPath.format(execution, sfn.JsonPath.stringAt('$.run.nonce')),
    resultPath,
  });
  retryStart(task);
  return task;
}
