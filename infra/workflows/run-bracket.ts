import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Machine } from '../../core/work-layout.ts';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { callFunction } from './function-tasks.ts';
import { startRelease } from './start-release.ts';
import type { WorkflowContext } from './workflow-context.ts';

interface RunBracket {
  readonly machine: Exclude<Machine, 'Release'>;
  /** `snapshot`, for the names of the states. */
  readonly noun: string;
  /** Name of the state that is the run. */
  readonly title: string;
  readonly body: sfn.IChainable;
  readonly abortRun: RankvaultFunction;
  /** Started when the run left a cluster in backup mode. @default - the run never quiesces */
  readonly release?: sfn.IStateMachine;
}

/** What the first state of a run and the last one of a failed run are given: who runs, and on whose word. */
export const EXECUTION_START = {
  execution: sfn.JsonPath.stringAt('$$.Execution.Name'),
  executionArn: sfn.JsonPath.stringAt('$$.Execution.Id'),
  startedAt: sfn.JsonPath.stringAt('$$.Execution.StartTime'),
  input: sfn.JsonPath.objectAt('$$.Execution.Input'),
} as const;

/**
 * The body as one Parallel of one branch, so that one Catch sees every failure in it. The state is emptied first: a Catch puts its
 * error into the state, which fails beyond catching when the execution was started with a list or a text.
 */
export function bracketRun(context: WorkflowContext, props: RunBracket): sfn.Chain {
  const { scope } = context;
  const empty = new sfn.Pass(scope, 'Start from an empty state', { result: sfn.Result.fromObject({}) });
  const bracket = new sfn.Parallel(scope, props.title, { outputPath: '$[0]' });
  bracket.branch(props.body);
  bracket.addCatch(abort(context, props), { errors: [sfn.Errors.ALL], resultPath: '$.failure' });
  return sfn.Chain.start(empty).next(bracket);
}

/** Reads what failed, unlocks, releases the cluster where it must be, and fails with the name of the original error. */
function abort(context: WorkflowContext, props: RunBracket): sfn.Chain {
  const { scope } = context;
  const task = callFunction(scope, `Abort the ${props.noun}`, {
    call: props.abortRun,
    payload: { ...EXECUTION_START, machine: props.machine, failure: sfn.JsonPath.objectAt('$.failure') },
    resultPath: '$.abort',
  });
  const fail = new sfn.Fail(scope, 'Fail with the first error', {
    errorPath: '$.abort.error',
    causePath: '$.abort.cause',
  });
  task.addCatch(
    new sfn.Fail(scope, 'Fail without having cleaned up', {
      errorPath: '$.failure.Error',
      causePath: '$.failure.Cause',
    }),
    { errors: [sfn.Errors.ALL], resultPath: '$.abortFailure' },
  );
  if (props.release === undefined) {
    return task.next(fail);
  }
  const release = startRelease(scope, 'Release the cluster', {
    release: props.release,
    path: '$.abort',
    reason: 'abort',
  });
  // The recurring schedule that was armed before the quiesce starts Release again, should this start fail.
  release.addCatch(fail, { errors: [sfn.Errors.ALL], resultPath: sfn.JsonPath.DISCARD });
  release.next(fail);
  return task.next(
    new sfn.Choice(scope, 'Must the cluster be released?')
      .when(sfn.Condition.booleanEquals('$.abort.release', true), release)
      .otherwise(fail),
  );
}
