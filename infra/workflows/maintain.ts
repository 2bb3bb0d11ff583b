import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { whenAll, whenAny } from './choices.ts';
import { callFunction } from './function-tasks.ts';
import { mergeSnapshots } from './merge.ts';
import { bracketRun } from './run-bracket.ts';
import { mapOverItems } from './run-maps.ts';
import { planThen } from './turns.ts';
import type { WorkflowContext } from './workflow-context.ts';

export interface MaintainWorkflowContext extends WorkflowContext {
  readonly functions: {
    readonly planMaintenance: RankvaultFunction;
    readonly mergeRank: RankvaultFunction;
    readonly planMerge: RankvaultFunction;
    readonly mergeParts: RankvaultFunction;
    readonly sealMergedRank: RankvaultFunction;
    readonly commitMerged: RankvaultFunction;
    readonly verifyMergedRank: RankvaultFunction;
    readonly hideMerged: RankvaultFunction;
    readonly surveyRemoval: RankvaultFunction;
    readonly planDeletions: RankvaultFunction;
    readonly deleteVersions: RankvaultFunction;
    readonly finishMaintenance: RankvaultFunction;
    readonly abortRun: RankvaultFunction;
  };
}

/** One action on a backup: hides what is to go, then frees what nothing names. Read `maintainBackup` as the recipe. */
export function maintainWorkflow(context: MaintainWorkflowContext): sfn.Chain {
  return bracketRun(context, {
    machine: 'Maintain',
    noun: 'maintenance',
    title: 'Maintain the backup',
    body: planThen(context.scope, {
      name: 'Plan the maintenance',
      call: context.functions.planMaintenance,
      body: maintainBackup(context),
      finished: new sfn.Pass(context.scope, 'Finish with the plan alone', { outputPath: '$.result' }),
    }),
    abortRun: context.functions.abortRun,
  });
}

/** Everything is decided by the plan, under the lock; what follows frees what the plan has hidden, and needs no lock. */
function maintainBackup(context: MaintainWorkflowContext): sfn.Chain {
  return whenMerging(context, mergeSnapshots(context))
    .next(surveyRemovals(context))
    .next(deleteVersions(context))
    .next(finish(context));
}

/** A dry run takes what a merge would copy and free from the plan. */
function whenMerging({ scope }: MaintainWorkflowContext, merge: sfn.Chain): sfn.Chain {
  return whenAll(
    scope,
    'Is a full to be made by copies?',
    [sfn.Condition.booleanEquals('$.run.merges', true), NOT_DRY],
    merge,
  );
}

const NOT_DRY = sfn.Condition.booleanEquals('$.run.dryRun', false);

/** Which versions below a dead directory, or beside a live one, does no kept manifest name? Only reads. */
function surveyRemovals(context: MaintainWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const survey = mapOverItems(context, {
    names: {
      map: 'Survey what can be deleted',
      step: 'Survey a part of a directory',
      check: 'Is the part of the directory surveyed?',
      end: 'The part of the directory is surveyed',
    },
    label: 'SurveyRemovals',
    call: functions.surveyRemoval,
    itemsKeyPath: '$.run.unitsKey',
    concurrency: 'rankConcurrency',
  });
  return whenAny(scope, 'Is there anything to survey?', '$.run.units', survey);
}

/** Records first, by the plan of the deletions, so that nothing can be seen whose bytes are going; then bytes, in any order. */
function deleteVersions(context: MaintainWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const plan = callFunction(scope, 'Plan the deletions', {
    call: functions.planDeletions,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: '$.deletions',
  });
  const remove = mapOverItems(context, {
    names: {
      map: 'Delete the versions',
      step: 'Delete a batch of versions',
      check: 'Is the batch of versions deleted?',
      end: 'The batch of versions is deleted',
    },
    label: 'DeleteVersions',
    call: functions.deleteVersions,
    itemsKeyPath: '$.run.deletionsKey',
    concurrency: 'copyConcurrency',
  });
  const any = sfn.Condition.numberGreaterThan('$.deletions.batches', 0);
  return sfn.Chain.start(plan).next(whenAll(scope, 'Is there anything to delete?', [NOT_DRY, any], remove));
}

function finish({ scope, functions }: MaintainWorkflowContext): sfn.TaskStateBase {
  return callFunction(scope, 'Finish the maintenance', {
    call: functions.finishMaintenance,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
  });
}
