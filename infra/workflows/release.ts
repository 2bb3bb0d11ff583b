import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { callFunction, callSiteFunction } from './function-tasks.ts';
import { pollUntilReady } from './poll-loop.ts';
import type { WorkflowContext } from './workflow-context.ts';

interface ReleaseFunctionSet {
  readonly planRelease: RankvaultFunction;
  readonly settleRelease: RankvaultFunction;
}

/**
 * The only way out of a quiesce: sends `end` until the cluster is seen in normal mode. Whoever starts it says whose hold is meant;
 * when the intent record has another's, nothing is sent, and only the schedule that still asks for it goes.
 */
export function releaseWorkflow(context: WorkflowContext, functions: ReleaseFunctionSet): sfn.Chain {
  const { scope } = context;
  const plan = callFunction(scope, 'Plan the release', {
    call: functions.planRelease,
    payload: { input: sfn.JsonPath.objectAt('$$.Execution.Input') },
  });
  const settle = callFunction(scope, 'Settle the release', {
    call: functions.settleRelease,
    payload: { release: sfn.JsonPath.objectAt('$.release') },
    resultPath: sfn.JsonPath.DISCARD,
  });
  settle.next(new sfn.Succeed(scope, 'Nothing is left to release'));
  return sfn.Chain.start(plan).next(
    new sfn.Choice(scope, 'Is there something to release?')
      .when(sfn.Condition.stringEquals('$.outcome', 'nothing'), settle)
      .otherwise(sendEnd(context).next(settle)),
  );
}

/** Fails with the function's error; the schedule that was armed before the quiesce starts the machine again. */
function sendEnd({ scope, sites }: WorkflowContext): sfn.Chain {
  const ask = callSiteFunction(scope, 'Send the end of backup mode', {
    call: 'control-cluster',
    sites,
    functionsPath: '$.release.functions',
    payload: {
      release: sfn.JsonPath.objectAt('$.release'),
      action: 'end',
      poll: sfn.JsonPath.objectAt('$.site.poll'),
    },
    answer: 'poll',
  });
  ask.addCatch(
    new sfn.Fail(scope, 'The release is not confirmed', { errorPath: '$.failure.Error', causePath: '$.failure.Cause' }),
    { errors: [sfn.Errors.ALL], resultPath: '$.failure' },
  );
  return pollUntilReady(scope, {
    names: {
      begin: 'Begin to count the tries',
      ready: 'Is the cluster in normal mode?',
      wait: 'Wait before the end is sent again',
    },
    ask,
    pollPath: '$.site.poll',
    first: 'planned',
  });
}
