import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { whenAny } from './choices.ts';
import { drill } from './drill.ts';
import { callFunction, callWithState } from './function-tasks.ts';
import { bracketRun } from './run-bracket.ts';
import { mapOverItems } from './run-maps.ts';
import { planThen } from './turns.ts';
import type { WorkflowContext } from './workflow-context.ts';

export interface VerifyWorkflowContext extends WorkflowContext {
  readonly restore: sfn.IStateMachine;
  readonly functions: {
    readonly planVerification: RankvaultFunction;
    readonly verifyRank: RankvaultFunction;
    readonly planReads: RankvaultFunction;
    readonly readParts: RankvaultFunction;
    readonly concludeVerification: RankvaultFunction;
    readonly abortRun: RankvaultFunction;
  };
}

/** Looks whether a backup is what it promises. What it finds is recorded first, and then fails the execution, so that alarms see it. */
export function verifyWorkflow(context: VerifyWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  return bracketRun(context, {
    machine: 'Verify',
    noun: 'verification',
    title: 'Verify the backup',
    body: planThen(scope, {
      name: 'Plan the verification',
      call: functions.planVerification,
      body: verifyBackup(context),
      finished: new sfn.Pass(scope, 'Finish with the plan alone', { outputPath: '$.result' }),
    }),
    abortRun: functions.abortRun,
  }).next(
    new sfn.Choice(scope, 'Was anything found that a restore suffers from?')
      .when(
        sfn.Condition.isPresent('$.failure'),
        new sfn.Fail(scope, 'Fail with what was found', {
          errorPath: '$.failure.error',
          causePath: '$.failure.cause',
        }),
      )
      .otherwise(new sfn.Succeed(scope, 'The verification has passed')),
  );
}

/** The objects as they are listed and, by level, their bytes; or a restore of them. The record of the verification is the last write. */
function verifyBackup(context: VerifyWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const conclude = callWithState(scope, 'Conclude the verification', functions.concludeVerification);
  return sfn.Chain.start(
    new sfn.Choice(scope, 'Is it a drill?')
      .when(sfn.Condition.stringEquals('$.run.level', 'restored'), drill(context, conclude))
      .otherwise(lookAtRanks(context).next(readParts(context)).next(conclude)),
  );
}

function lookAtRanks(context: VerifyWorkflowContext): sfn.Chain {
  const look = mapOverItems(context, {
    names: {
      map: 'Look at the ranks',
      step: 'Look at a rank',
      check: 'Is the rank looked at?',
      end: 'The rank is looked at',
    },
    label: 'VerifyRanks',
    call: context.functions.verifyRank,
    itemsKeyPath: '$.run.unitsKey',
    concurrency: 'rankConcurrency',
  });
  return whenAny(context.scope, 'Is there anything to look at?', '$.run.units', look);
}

function readParts(context: VerifyWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const plan = callFunction(scope, 'Plan the reads', {
    call: functions.planReads,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: '$.reads',
  });
  const read = mapOverItems(context, {
    names: {
      map: 'Read the parts',
      step: 'Read a batch of parts',
      check: 'Is the batch of parts read?',
      end: 'The batch of parts is read',
    },
    label: 'ReadParts',
    call: functions.readParts,
    itemsKeyPath: '$.run.batchesKey',
    concurrency: 'copyConcurrency',
  });
  return sfn.Chain.start(plan).next(whenAny(scope, 'Is there anything to read?', '$.reads.batches', read));
}
