import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { whenAny } from './choices.ts';
import { callFunction } from './function-tasks.ts';
import type { MaintainWorkflowContext } from './maintain.ts';
import { mapOverItems, mapOverRanksFixed, mapOverRanksOnce } from './run-maps.ts';
import { askUntilTurn } from './turns.ts';

/**
 * Makes a full of a chain by server-side copies, as a snapshot is made of a cluster: list, copy, seal, verify, commit. Its sources are hidden
 * last; a snapshot that was committed meanwhile keeps what it names.
 */
export function mergeSnapshots(context: MaintainWorkflowContext): sfn.Chain {
  return sfn.Chain.start(listRanks(context))
    .next(copyParts(context))
    .next(sealRanks(context))
    .next(verifyRanks(context))
    .next(commit(context))
    .next(hideSources(context));
}

const RUN = { run: sfn.JsonPath.objectAt('$.run') };

function listRanks(context: MaintainWorkflowContext): sfn.DistributedMap {
  return mapOverRanksFixed(context, {
    names: {
      map: 'List the parts to be merged',
      step: 'List the parts of a rank',
      check: 'Are the parts of the rank listed?',
      end: 'The parts of the rank are listed',
    },
    label: 'MergeRanks',
    call: context.functions.mergeRank,
  });
}

function copyParts(context: MaintainWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const plan = callFunction(scope, 'Plan the merge', {
    call: functions.planMerge,
    payload: RUN,
    resultPath: '$.copies',
  });
  const copy = mapOverItems(context, {
    names: {
      map: 'Copy the merged parts',
      step: 'Copy a batch of merged parts',
      check: 'Is the batch of merged parts copied?',
      end: 'The batch of merged parts is copied',
    },
    label: 'MergeParts',
    call: functions.mergeParts,
    itemsKeyPath: '$.run.batchesKey',
    concurrency: 'copyConcurrency',
  });
  return sfn.Chain.start(plan).next(whenAny(scope, 'Is there anything to copy?', '$.copies.batches', copy));
}

function sealRanks(context: MaintainWorkflowContext): sfn.DistributedMap {
  return mapOverRanksOnce(context, {
    names: { map: 'Seal the merged ranks', step: 'Seal a merged rank', end: 'The merged rank is sealed' },
    label: 'SealMergedRanks',
    call: context.functions.sealMergedRank,
  });
}

/** The one write that makes the merged full visible; under the lock, so that no snapshot is being planned meanwhile. */
function commit({ scope, functions }: MaintainWorkflowContext): sfn.Chain {
  return askUntilTurn(scope, {
    names: { check: 'Is the merged snapshot committed?', wait: 'Wait until it can be committed' },
    ask: callFunction(scope, 'Commit the merged snapshot', {
      call: functions.commitMerged,
      payload: RUN,
      resultPath: '$.committed',
    }),
    answerPath: '$.committed',
  });
}

function verifyRanks(context: MaintainWorkflowContext): sfn.DistributedMap {
  return mapOverRanksFixed(context, {
    names: {
      map: 'Verify the merged ranks',
      step: 'Verify a merged rank',
      check: 'Is the merged rank verified?',
      end: 'The merged rank is verified',
    },
    label: 'VerifyMergedRanks',
    call: context.functions.verifyMergedRank,
  });
}

/** Decides anew, under the lock, what may go: the run that the rest works by is the one that is answered here. */
function hideSources({ scope, functions }: MaintainWorkflowContext): sfn.Chain {
  return askUntilTurn(scope, {
    names: { check: 'Are the merged snapshots hidden?', wait: 'Wait until they can be hidden' },
    ask: callFunction(scope, 'Hide the merged snapshots', {
      call: functions.hideMerged,
      payload: RUN,
      resultPath: '$.hidden',
    }),
    answerPath: '$.hidden',
  }).next(
    new sfn.Pass(scope, 'Go on with what the merge has freed', {
      parameters: { run: sfn.JsonPath.objectAt('$.hidden.run') },
    }),
  );
}
