import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { whenAny, whenTrue } from './choices.ts';
import { callFunction } from './function-tasks.ts';
import { beginBackupMode, endBackupMode, inspectCluster } from './quiesce.ts';
import { bracketRun } from './run-bracket.ts';
import { mapOverBatches, mapOverRanks, mapOverRanksOnce } from './run-maps.ts';
import { startExpiry } from './start-expiry.ts';
import { planThen } from './turns.ts';
import type { WorkflowContext } from './workflow-context.ts';

export interface SnapshotWorkflowContext extends WorkflowContext {
  readonly release: sfn.IStateMachine;
  readonly maintain: sfn.IStateMachine;
  readonly functions: {
    readonly planSnapshot: RankvaultFunction;
    readonly planCopies: RankvaultFunction;
    readonly armRelease: RankvaultFunction;
    readonly awaitRelease: RankvaultFunction;
    readonly sealRank: RankvaultFunction;
    readonly commitSnapshot: RankvaultFunction;
    readonly unlockRun: RankvaultFunction;
    readonly abortRun: RankvaultFunction;
  };
}

/** One snapshot of one backup, from the lock to the commit. Read `takeSnapshot` as the recipe. */
export function snapshotWorkflow(context: SnapshotWorkflowContext): sfn.Chain {
  return bracketRun(context, {
    machine: 'Snapshot',
    noun: 'snapshot',
    title: 'Take the snapshot',
    body: planThen(context.scope, {
      name: 'Plan the snapshot',
      call: context.functions.planSnapshot,
      body: takeSnapshot(context),
      finished: new sfn.Pass(context.scope, 'Finish without a snapshot of its own'),
    }),
    abortRun: context.functions.abortRun,
    release: context.release,
  });
}

function takeSnapshot(context: SnapshotWorkflowContext): sfn.Chain {
  return inspectCluster(context)
    .next(warmUp(context))
    .next(whenTrue(context.scope, 'Is the cluster to be quiesced?', '$.run.quiesce', beginBackupMode(context)))
    .next(enumerateRanks(context))
    .next(copyParts(context))
    .next(fenceRanks(context))
    .next(whenTrue(context.scope, 'Is the cluster quiesced?', '$.run.quiesce', endBackupMode(context)))
    .next(sealRanks(context))
    .next(commit(context))
    .next(unlock(context));
}

/** Copies what is there before the quiesce, so that writers wait only while the rest is copied. */
function warmUp(context: SnapshotWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  const warm = mapOverRanks(context, {
    names: {
      map: 'Enumerate the ranks ahead',
      step: 'Enumerate a rank ahead',
      check: 'Is the rank enumerated ahead?',
      end: 'The rank is enumerated ahead',
    },
    label: 'EnumerateAhead',
    call: 'enumerate-rank',
    constants: { pass: 'warm' },
  })
    .next(
      planCopies(scope, functions.planCopies, { name: 'Plan the copies ahead', pass: 'warm', resultPath: '$.warm' }),
    )
    .next(
      whenAny(
        scope,
        'Is there anything to copy ahead?',
        '$.warm.batches',
        mapOverBatches(context, {
          names: {
            map: 'Copy the parts ahead',
            step: 'Copy a batch ahead',
            check: 'Is the batch copied ahead?',
            end: 'The batch is copied ahead',
          },
          label: 'CopyAhead',
          call: 'copy-parts',
          constants: { pass: 'warm' },
          batchesKeyPath: '$.run.warmBatchesKey',
        }),
      ),
    );
  // Arming the release is given the warm pass's numbers, and the state has to have something there.
  const none = new sfn.Pass(scope, 'Note that nothing is copied ahead', {
    result: sfn.Result.fromString(sfn.JsonPath.DISCARD),
    resultPath: '$.warm',
  });
  return sfn.Chain.start(none).next(whenTrue(scope, 'Is there a warm pass?', '$.run.warmPass', warm));
}

function enumerateRanks(context: SnapshotWorkflowContext): sfn.DistributedMap {
  return mapOverRanks(context, {
    names: {
      map: 'Enumerate the ranks',
      step: 'Enumerate a rank',
      check: 'Is the rank enumerated?',
      end: 'The rank is enumerated',
    },
    label: 'EnumerateRanks',
    call: 'enumerate-rank',
    constants: { pass: 'final' },
  });
}

function copyParts(context: SnapshotWorkflowContext): sfn.Chain {
  const { scope, functions } = context;
  return planCopies(scope, functions.planCopies, {
    name: 'Plan the copies',
    pass: 'final',
    resultPath: '$.copies',
  }).next(
    whenAny(
      scope,
      'Is there anything to copy?',
      '$.copies.batches',
      mapOverBatches(context, {
        names: {
          map: 'Copy the parts',
          step: 'Copy a batch',
          check: 'Is the batch copied?',
          end: 'The batch is copied',
        },
        label: 'CopyParts',
        call: 'copy-parts',
        constants: { pass: 'final' },
        batchesKeyPath: '$.run.batchesKey',
      }),
    ),
  );
}

function planCopies(
  scope: SnapshotWorkflowContext['scope'],
  call: RankvaultFunction,
  props: { readonly name: string; readonly pass: 'warm' | 'final'; readonly resultPath: string },
): sfn.TaskStateBase {
  return callFunction(scope, props.name, {
    call,
    payload: { run: sfn.JsonPath.objectAt('$.run'), pass: props.pass },
    resultPath: props.resultPath,
  });
}

/** Lists again: what was enumerated must still be there and the same, or the snapshot is not one point in time. */
function fenceRanks(context: SnapshotWorkflowContext): sfn.DistributedMap {
  return mapOverRanks(context, {
    names: {
      map: 'Fence the ranks',
      step: 'Fence a rank',
      check: 'Is the rank fenced?',
      end: 'The rank is fenced',
    },
    label: 'FenceRanks',
    call: 'fence-rank',
    constants: { pass: 'final' },
  });
}

function sealRanks(context: SnapshotWorkflowContext): sfn.DistributedMap {
  return mapOverRanksOnce(context, {
    names: { map: 'Seal the ranks', step: 'Seal a rank', end: 'The rank is sealed' },
    label: 'SealRanks',
    call: context.functions.sealRank,
  });
}

/** The one write that makes the snapshot visible. */
function commit({ scope, functions }: SnapshotWorkflowContext): sfn.TaskStateBase {
  return callFunction(scope, 'Commit the snapshot', {
    call: functions.commitSnapshot,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: '$.snapshot',
  });
}

/** A committed snapshot cannot fail any more: a lock that stays is taken over, an expiry that did not start runs after the next one. */
function unlock({ scope, functions, maintain }: SnapshotWorkflowContext): sfn.Chain {
  const task = callFunction(scope, 'Unlock the backup', {
    call: functions.unlockRun,
    payload: { run: sfn.JsonPath.objectAt('$.run') },
    resultPath: sfn.JsonPath.DISCARD,
  });
  const expiry = startExpiry(scope, 'Start the expiry', maintain);
  const done = new sfn.Pass(scope, 'The snapshot is committed', {
    parameters: { outcome: 'committed', snapshot: sfn.JsonPath.objectAt('$.snapshot') },
  });
  task.addCatch(expiry, { errors: [sfn.Errors.ALL], resultPath: sfn.JsonPath.DISCARD });
  expiry.addCatch(done, { errors: [sfn.Errors.ALL], resultPath: sfn.JsonPath.DISCARD });
  return task.next(expiry).next(done);
}
