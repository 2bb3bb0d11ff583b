import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { loopWhile } from './choices.ts';
import { callFunction } from './function-tasks.ts';
import { EXECUTION_START } from './run-bracket.ts';

interface PlannedRun {
  /** Name of the planning state. */
  readonly name: string;
  readonly call: RankvaultFunction;
  /** What there is to do. */
  readonly body: sfn.IChainable;
  /** Where it ends when there is nothing to do. */
  readonly finished: sfn.IChainable;
}

/** Plans and goes on; asks again while another run is busy, and ends at once when there is nothing left to do. */
export function planThen(scope: Construct, { name, call, body, finished }: PlannedRun): sfn.Chain {
  const plan = callFunction(scope, name, { call, payload: EXECUTION_START });
  const wait = new sfn.Wait(scope, 'Wait for the other run', { time: sfn.WaitTime.secondsPath('$.waitSeconds') });
  wait.next(plan);
  return sfn.Chain.start(plan).next(
    new sfn.Choice(scope, 'What was planned?')
      .when(sfn.Condition.stringEquals('$.outcome', 'wait'), wait)
      .when(sfn.Condition.stringEquals('$.outcome', 'finished'), finished)
      .otherwise(body),
  );
}

interface Turn {
  /** State names. */
  readonly names: { readonly check: string; readonly wait: string };
  /** Needs a lock that another run may have; its answer at `answerPath` then says how long to wait. */
  readonly ask: sfn.TaskStateBase;
  readonly answerPath: string;
}

/** Asks again while another run is busy. Only the machine waits. */
export function askUntilTurn(scope: Construct, { names, ask, answerPath }: Turn): sfn.Chain {
  const wait = new sfn.Wait(scope, names.wait, { time: sfn.WaitTime.secondsPath(`${answerPath}.waitSeconds`) });
  wait.next(ask);
  const busy = sfn.Condition.stringEquals(`${answerPath}.outcome`, 'wait');
  return sfn.Chain.start(ask).next(loopWhile(new sfn.Choice(scope, names.check), busy, wait));
}
