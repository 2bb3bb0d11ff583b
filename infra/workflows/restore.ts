import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RestorePhase } from '../../core/run.ts';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { whenAny } from './choices.ts';
import { callFunction, callSiteFunction } from './function-tasks.ts';
import { bracketRun, EXECUTION_START } from './run-bracket.ts';
import { type MapNames, mapOverBatches, mapOverRanks } from './run-maps.ts';
import type { WorkflowContext } from './workflow-context.ts';

interface RestoreWorkflowContext extends WorkflowContext {
  readonly functions: {
    readonly planRestore: RankvaultFunction;
    readonly planRestoreBatches: RankvaultFunction;
    readonly finishRestore: RankvaultFunction;
    readonly unlockRun: RankvaultFunction;
    readonly abortRun: RankvaultFunction;
  };
}

/** One snapshot put onto one cluster. Read `restoreCluster` as the recipe. */
export function restoreWorkflow(context: RestoreWorkflowContext): sfn.Chain {
  return bracketRun(context, {
    machine: 'Restore',
    noun: 'restore',
    title: 'Restore the cluster',
    body: restoreCluster(context),
    abortRun: context.functions.abortRun,
  });
}

/**
 * Comparing only reads, so that a dry run can say what would be done. Then the marker is the first write and goes last. Rank 0 and
 * rank-level files are moved aside first and put in place last, so that a restore that stopped halfway leaves nothing that starts.
 */
function restoreCluster(context: RestoreWorkflowContext): sfn.Chain {
  return plan(context)
    .next(inspectTarget(context, 'Inspect the target', 'plan'))
    .next(compareRanks(context))
    .next(planBatches(context))
    .next(
      new sfn.Choice(context.scope, 'Is it a dry run?')
        .when(sfn.Condition.booleanEquals('$.run.dryRun', true), onlyPlanned(context))
        .otherwise(carryOut(context)),
    );
}

/** Extra files go before data comes: a file may stand where a directory shall be. */
function carryOut(context: RestoreWorkflowContext): sfn.Chain {
  return markTarget(context, 'Mark the target', 'moving')
    .next(phase(context, 'aside'))
    .next(markTarget(context, 'Mark that files are put in place', 'placing'))
    .next(phase(context, 'extras'))
    .next(phase(context, 'data'))
    .next(inspectTarget(context, 'Inspect the target again', 'activate'))
    .next(phase(context, 'activation'))
    .next(phase(context, 'directories'))
    .next(markTarget(context, 'Clear the marks', 'done'))
    .next(finish(context))
    .next(
      unlock(context, {
        name: 'Unlock the cluster',
        end: 'The cluster is restored',
        output: { outcome: 'restored', report: sfn.JsonPath.objectAt('$.report') },
      }),
    );
}

function onlyPlanned(context: RestoreWorkflowContext): sfn.Chain {
  return unlock(context, {
    name: 'Unlock after the dry run',
    end: 'The restore is planned',
    output: {
      outcome: 'planned',
      estimate: sfn.JsonPath.objectAt('$.estimate'),
      target: sfn.JsonPath.objectAt('$.site.target'),
      todo: sfn.JsonPath.objectAt('$.batches.todo'),
    },
  });
}

function plan({ scope, functions }: RestoreWorkflowContext): sfn.Chain {
  return sfn.Chain.start(
    callFunction(scope, 'Plan the restore', { call: functions.planRestore, payload: EXECUTION_START }),
  );
}

/** Proves that nothing runs on the target, or takes the operator's word for it. */
function inspectTarget({ scope, sites }: RestoreWorkflowContext, name: string, stage: 'plan' | 'activate'): sfn.Chain {
  return sfn.Chain.start(
    callSiteFunction(scope, name, {
      call: 'inspect-target',
      sites,
      payload: { run: sfn.JsonPath.objectAt('$.run'), stage },
      answer: 'target',
    }),
  );
}

function markTarget(
  { scope, sites }: RestoreWorkflowContext,
  name: string,
  markedPhase: 'moving' | 'placing' | 'done',
): sfn.Chain {
  return sfn.Chain.start(
    callSiteFunction(scope, name, {
      call: 'mark-target',
      sites,
      payload: { run: sfn.JsonPath.objectAt('$.run'), phase: markedPhase },
    }),
  );
}

function compareRanks(context: RestoreWorkflowContext): sfn.DistributedMap {
  return mapOverRanks(context, {
    names: {
      map: 'Compare the ranks',
      step: 'Compare a rank',
      check: 'Is the rank compared?',
      end: 'The rank is compared',
    },
    label: 'CompareRanks',
    call: 'compare-rank',
  });
}

function planBatches({ scope, functions }: RestoreWorkflowContext): sfn.TaskStateBase {
  return callFunction(scope, 'Plan the batches', {
    call: functions.planRestoreBatches,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: '$.batches',
  });
}

interface PhaseNames extends MapNames {
  readonly any: string;
}

const PHASE_NAMES: Readonly<Record<RestorePhase, PhaseNames>> = {
  aside: {
    any: 'Is anything to be moved aside?',
    map: 'Move old files aside',
    step: 'Move a batch aside',
    check: 'Is the batch moved aside?',
    end: 'The batch is moved aside',
  },
  data: {
    any: 'Is any part to be restored?',
    map: 'Restore the parts',
    step: 'Restore a batch',
    check: 'Is the batch restored?',
    end: 'The batch is restored',
  },
  extras: {
    any: 'Is any file to be removed?',
    map: 'Remove extra files',
    step: 'Remove a batch of extra files',
    check: 'Is the batch removed?',
    end: 'The batch is removed',
  },
  activation: {
    any: 'Is anything to be activated?',
    map: 'Activate the restored files',
    step: 'Activate a batch',
    check: 'Is the batch activated?',
    end: 'The batch is activated',
  },
  directories: {
    any: 'Is any directory to be finished?',
    map: 'Finish directories',
    step: 'Finish a batch of directories',
    check: 'Is the batch finished?',
    end: 'The batch is finished',
  },
};

function phase(context: RestoreWorkflowContext, name: RestorePhase): sfn.Chain {
  const names = PHASE_NAMES[name];
  return whenAny(
    context.scope,
    names.any,
    `$.batches.${name}`,
    mapOverBatches(context, {
      names,
      label: `Restore-${name}`,
      call: 'restore-parts',
      constants: { phase: name },
      batchesKeyPath: `$.run.${name}BatchesKey`,
    }),
  );
}

function finish({ scope, functions }: RestoreWorkflowContext): sfn.TaskStateBase {
  return callFunction(scope, 'Finish the restore', {
    call: functions.finishRestore,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: '$.report',
  });
}

/** What is done is done: a lock that stays is taken over by the next run. */
function unlock(
  { scope, functions }: RestoreWorkflowContext,
  props: { readonly name: string; readonly end: string; readonly output: Record<string, unknown> },
): sfn.Chain {
  const task = callFunction(scope, props.name, {
    call: functions.unlockRun,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: sfn.JsonPath.DISCARD,
  });
  const end = new sfn.Pass(scope, props.end, { parameters: props.output });
  task.addCatch(end, { errors: [sfn.Errors.ALL], resultPath: sfn.JsonPath.DISCARD });
  return task.next(end);
}
