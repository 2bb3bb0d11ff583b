import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { callFunction, callSiteFunction, SiteTask } from './function-tasks.ts';
import { pollUntilReady } from './poll-loop.ts';
import { retryOnlyThrottling } from './retries.ts';
import type { SnapshotWorkflowContext } from './snapshot.ts';
import { ALREADY_STARTED, startRelease } from './start-release.ts';

/** Asks the cluster what it is made of, and waits while it is busy with itself. */
export function inspectCluster({ scope, sites }: SnapshotWorkflowContext): sfn.Chain {
  return pollUntilReady(scope, {
    names: {
      begin: 'Begin to inspect the cluster',
      ready: 'Is the cluster inspected?',
      wait: 'Wait until the cluster can be inspected',
    },
    ask: callSiteFunction(scope, 'Inspect the cluster', {
      call: 'inspect-cluster',
      sites,
      payload: { run: sfn.JsonPath.objectAt('$.run'), poll: sfn.JsonPath.objectAt('$.site.poll') },
      answer: 'poll',
    }),
    pollPath: '$.site.poll',
    first: 'planned',
  });
}

/** First the way out, then the way in: a schedule that releases the cluster whatever becomes of this execution, then `begin`. */
export function beginBackupMode({ scope, sites, functions }: SnapshotWorkflowContext): sfn.Chain {
  const arm = callFunction(scope, 'Arm the release', {
    call: functions.armRelease,
    payload: { run: sfn.JsonPath.objectAt('$.run'), copies: sfn.JsonPath.objectAt('$.warm') },
    resultPath: '$.armed',
  });
  const begin = new SiteTask(scope, 'Begin backup mode', {
    call: 'control-cluster',
    sites,
    payload: { run: sfn.JsonPath.objectAt('$.run'), action: 'begin' },
    answer: 'begun',
  });
  retryOnlyThrottling(begin);
  return sfn.Chain.start(arm)
    .next(begin)
    .next(
      pollUntilReady(scope, {
        names: {
          begin: 'Begin to wait for the cluster',
          ready: 'Does the cluster hold still?',
          wait: 'Wait until the cluster holds still',
        },
        ask: callSiteFunction(scope, 'Observe the cluster', {
          call: 'control-cluster',
          sites,
          payload: {
            run: sfn.JsonPath.objectAt('$.run'),
            action: 'observe',
            poll: sfn.JsonPath.objectAt('$.site.poll'),
          },
          answer: 'poll',
        }),
        pollPath: '$.site.poll',
      }),
    );
}

/** Starts `Release` and waits for its word. It fails when the hold was broken before: what was copied is no point in time. */
export function endBackupMode({ scope, functions, release }: SnapshotWorkflowContext): sfn.Chain {
  const end = startRelease(scope, 'End backup mode', {
    release,
    path: '$.run',
    reason: 'end',
    // Named, so that a repeated start is no second execution; by the nonce, because a name holds 80 characters and so may the execution's.
    name: sfn.JsonPath.format('end-{}', sfn.JsonPath.stringAt('$.run.nonce')),
  });
  const wait = pollUntilReady(scope, {
    names: {
      begin: 'Begin to wait for the release',
      ready: 'Is the cluster released?',
      wait: 'Wait for the release',
    },
    ask: callFunction(scope, 'Await the release', {
      call: functions.awaitRelease,
      payload: { run: sfn.JsonPath.objectAt('$.run'), poll: sfn.JsonPath.objectAt('$.poll') },
      resultPath: '$.poll',
    }),
    pollPath: '$.poll',
  });
  end.addCatch(wait, { errors: [ALREADY_STARTED], resultPath: sfn.JsonPath.DISCARD });
  return sfn.Chain.start(end).next(wait);
}
