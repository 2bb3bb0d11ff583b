import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FIRST_POLL } from '../../core/run.ts';
import { loopWhile } from './choices.ts';

interface PollLoop {
  /** State names. */
  readonly names: { readonly begin: string; readonly ready: string; readonly wait: string };
  /** Asks once; is given the poll at `pollPath` and puts the next one there. */
  readonly ask: sfn.TaskStateBase;
  /** Answers of site functions are in `$.site`; those of functions that exist once stand by themselves. */
  readonly pollPath: '$.site.poll' | '$.poll';
  /** The first poll: the one that the plan left at `$.poll`, or a new one. @default 'new' */
  readonly first?: 'planned' | 'new';
}

/**
 * Asks until the answer is ready. Only the machine waits, for as long as the answer says; how often it asks is bounded by the
 * function, which counts in the poll and fails with a named error.
 */
export function pollUntilReady(scope: Construct, loop: PollLoop): sfn.Chain {
  const { names, ask, pollPath } = loop;
  const wait = new sfn.Wait(scope, names.wait, { time: sfn.WaitTime.secondsPath(`${pollPath}.waitSeconds`) });
  wait.next(ask);
  const notReady = sfn.Condition.booleanEquals(`${pollPath}.ready`, false);
  return sfn.Chain.start(beginPolling(scope, loop))
    .next(ask)
    .next(loopWhile(new sfn.Choice(scope, names.ready), notReady, wait));
}

function beginPolling(scope: Construct, { names, pollPath, first }: PollLoop): sfn.Pass {
  if (first === 'planned') {
    return new sfn.Pass(scope, names.begin, {
      parameters: { poll: sfn.JsonPath.objectAt('$.poll') },
      resultPath: '$.site',
    });
  }
  return pollPath === '$.poll'
    ? new sfn.Pass(scope, names.begin, { result: sfn.Result.fromObject(FIRST_POLL), resultPath: '$.poll' })
    : new sfn.Pass(scope, names.begin, { result: sfn.Result.fromObject({ poll: FIRST_POLL }), resultPath: '$.site' });
}
