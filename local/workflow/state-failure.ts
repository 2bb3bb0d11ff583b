/** Error names of the States Language that the runtime itself raises. */
export const STATES_ALL = 'States.ALL';
export const STATES_TASK_FAILED = 'States.TaskFailed';
export const STATES_TIMEOUT = 'States.Timeout';
export const STATES_RUNTIME = 'States.Runtime';
export const STATES_DATA_LIMIT_EXCEEDED = 'States.DataLimitExceeded';
const STATES_INTRINSIC_FAILURE = 'States.IntrinsicFailure';
const STATES_EXCEED_TOLERATED_FAILURE_THRESHOLD = 'States.ExceedToleratedFailureThreshold';
const STATES_ITEM_READER_FAILED = 'States.ItemReaderFailed';
const STATES_RESULT_WRITER_FAILED = 'States.ResultWriterFailed';

/** What AWS has and this runtime does not: never matched by Retry or Catch, so that no workflow hides the gap. */
export const LOCAL_UNSUPPORTED = 'Local.Unsupported';

/** A state failed: `errorName` and `causeText` are what Retry, Catch and DescribeExecution see as Error and Cause. */
export class StateFailure extends Error {
  override readonly name = 'StateFailure';
  readonly errorName: string | undefined;
  readonly causeText: string | undefined;

  constructor(errorName: string | undefined, causeText: string | undefined) {
    super(`${errorName ?? '(no error name)'}: ${causeText ?? '(no cause)'}`);
    this.errorName = errorName;
    this.causeText = causeText;
  }
}

/** The execution was stopped or ran out of its time: not an error of any state, so nothing may catch it. */
export class Halted extends Error {
  override readonly name = 'Halted';

  constructor() {
    super('The execution ended while this state was running; its result is ignored.');
  }
}

export function runtimeFailure(cause: string): StateFailure {
  return new StateFailure(STATES_RUNTIME, cause);
}

export function dataLimitExceeded(where: string, sizeBytes: number): StateFailure {
  const cause = `${where} has ${sizeBytes} bytes as UTF-8, and 262144 is the most: put the data in S3 and pass its key.`;
  return new StateFailure(STATES_DATA_LIMIT_EXCEEDED, cause);
}

export function intrinsicFailure(cause: string): StateFailure {
  return new StateFailure(STATES_INTRINSIC_FAILURE, cause);
}

export function timedOut(cause: string): StateFailure {
  return new StateFailure(STATES_TIMEOUT, cause);
}

export function toleranceExceeded(): StateFailure {
  return new StateFailure(
    STATES_EXCEED_TOLERATED_FAILURE_THRESHOLD,
    'The specified tolerated failure threshold was exceeded',
  );
}

export function itemReaderFailed(cause: string): StateFailure {
  return new StateFailure(STATES_ITEM_READER_FAILED, cause);
}

export function resultWriterFailed(cause: string): StateFailure {
  return new StateFailure(STATES_RESULT_WRITER_FAILED, cause);
}

export function unsupported(cause: string): StateFailure {
  return new StateFailure(LOCAL_UNSUPPORTED, `${cause} The local runtime does not have it.`);
}
