import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { TRANSIENT_ERROR_NAMES } from '../../core/errors.ts';

/** Lambda had no room for the call and did not start it. */
const THROTTLED = 'Lambda.TooManyRequestsException';

/**
 * Failures of Lambda itself, and of a process that ended without a word. All functions may run twice (the second run finds what
 * the first one wrote), so that "maybe it ran" is no reason not to try again. The default retry of LambdaInvoke lacks throttling.
 */
const LAMBDA_FAILURES = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  THROTTLED,
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  sfn.Errors.TIMEOUT,
];

const BACKOFF = {
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.minutes(1),
  jitterStrategy: sfn.JitterType.FULL,
};

/** Six retries of a transient error: 2 + 4 + 8 + 16 + 32 + 60 s, two minutes at most before it is taken for lasting. */
export function retryFunction(task: sfn.TaskStateBase): void {
  task.addRetry({ ...BACKOFF, errors: [...TRANSIENT_ERROR_NAMES], maxAttempts: 6 });
  task.addRetry({ ...BACKOFF, errors: LAMBDA_FAILURES, maxAttempts: 4 });
}

/**
 * For the call that starts a backup mode: tried again only when it certainly never started. Sent twice, a begin that was refused the
 * second time could not be told from somebody else's.
 */
export function retryOnlyThrottling(task: sfn.TaskStateBase): void {
  task.addRetry({ ...BACKOFF, errors: [THROTTLED], maxAttempts: 6 });
}

/** Whatever a service call answers but the errors named: they are answers, not failures. */
export function retryServiceCall(task: sfn.TaskStateBase, answers: readonly string[]): void {
  if (answers.length > 0) {
    task.addRetry({ errors: [...answers], maxAttempts: 0 });
  }
  task.addRetry({ ...BACKOFF, errors: [sfn.Errors.TASKS_FAILED, sfn.Errors.TIMEOUT], maxAttempts: 6 });
}

/**
 * Of starting an execution and waiting for its end: only what kept it from being started. How it ended is an answer, and comes as
 * States.TaskFailed, which would match every other name too. A start that is repeated joins the execution that runs by that name.
 */
const NOT_STARTED = [
  'StepFunctions.ExecutionLimitExceededException',
  'StepFunctions.ThrottlingException',
  'StepFunctions.AWSStepFunctionsException',
  'StepFunctions.SdkClientException',
];

export function retryStart(task: sfn.TaskStateBase): void {
  task.addRetry({ ...BACKOFF, errors: NOT_STARTED, maxAttempts: 6 });
}
