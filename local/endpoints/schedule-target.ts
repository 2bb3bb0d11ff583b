import { type LocalClock, working } from '../clock/local-clock.ts';
import type { InvokeFunction } from '../workflow/execution.ts';
import { parseJson } from '../workflow/json.ts';
import type { WorkflowRuntime } from '../workflow/runtime.ts';
import type { Delivery } from './local-scheduler.ts';

/** A target that the laptop cannot start. */
class UnknownScheduleTarget extends Error {
  override readonly name = 'UnknownScheduleTarget';

  constructor(targetArn: string) {
    super(`${targetArn} is no state machine and no function. Teach local/endpoints/schedule-target.ts.`);
  }
}

interface TargetOptions {
  readonly runtime: WorkflowRuntime;
  readonly invokeFunction: InvokeFunction;
  readonly clock: LocalClock;
}

/** Starts what a schedule names: a state machine, or a function. */
export function deliverToTarget({ runtime, invokeFunction, clock }: TargetOptions) {
  return async ({ targetArn, input }: Delivery): Promise<void> => {
    if (targetArn.includes(':stateMachine:')) {
      runtime.start({ stateMachineArn: targetArn, input: parseJson(input) });
      return;
    }
    if (!targetArn.includes(':function:')) throw new UnknownScheduleTarget(targetArn);
    await working(clock, () => invokeFunction(targetArn, parseJson(input)));
  };
}
