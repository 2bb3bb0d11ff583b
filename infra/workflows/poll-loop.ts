import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FIRST_POLL } from '../../core/run.ts';

export interface PollLoop {
  /** State names. */
  readonly names: { readonly reset: string; readonly ready: string; readonly wait: string };
  /** Asks once; is given the poll at `pollPath` and puts the next one there. */
  readonly ask: sfn.TaskStateBase;
  readonly pollPath: PollPath;
}

/** Answers of site functions are in `$.site`; those of functions that exist once stand by themselves. */
export type PollPath = '$.site.poll' | '$.poll';

/**
 * Asks until the answer is ready. Only the machine waits, for as long as the answer says; how often it asks is bounded by the
 * function, which counts in the poll and fails with a named error.
 */
export function pollUntilReady(scope: Construct, loop: PollLoop): sfn.Chain {
  const { names, ask, pollPath } = loop;
  const reset = new sfn.Pass(scope, names.reset, {
    ...(pollPath === '$.site.poll'
      ? { result: sfn.Result.fromObject({ poll: FIRST_POLL }), resultPath: '$.site' }
      : { result: sfn.Result.fromObject(FIRST_POLL), resultPath: '$.poll' }),
  });
  const wait = new sfn.Wait(scope, names.wait, { time: sfn.WaitTime.secondsPath(`${pollPath}.waitSeconds`) });
  wait.next(ask);
  const ready = new sfn.Choice(scope, names.ready).when(sfn.Condition.booleanEquals(`${pollPath}.ready`, false), wait);
  reset.next(ask).next(ready);
  const after = ready.afterwards({ includeOtherwise: true });
  return sfn.Chain.custom(reset, after.endStates, after);
}
