import type { Catcher, Retrier } from './definition.ts';
import {
  LOCAL_UNSUPPORTED,
  STATES_ALL,
  STATES_DATA_LIMIT_EXCEEDED,
  STATES_RUNTIME,
  STATES_TASK_FAILED,
  STATES_TIMEOUT,
  type StateFailure,
} from './state-failure.ts';

const DEFAULT_INTERVAL_SECONDS = 1;
const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_BACKOFF_RATE = 2;

interface RetryDecision {
  readonly retrierIndex: number;
  readonly delayMillis: number;
}

/**
 * Which retrier takes the failure and how long it waits. The first that matches decides alone: when its attempts are
 * used up the state has failed, whatever the later ones say.
 *
 * @param attempts retries that each retrier of this state has spent so far
 * @param random from 0 up to 1, for JitterStrategy FULL
 */
export function decideRetry(
  retriers: readonly Retrier[],
  failure: StateFailure,
  attempts: readonly number[],
  random: () => number,
): RetryDecision | undefined {
  const retrierIndex = retriers.findIndex((retrier) => matches(retrier.ErrorEquals, failure));
  const retrier = retriers[retrierIndex];
  if (retrier === undefined) return undefined;
  const spent = attempts[retrierIndex] ?? 0;
  if (spent >= (retrier.MaxAttempts ?? DEFAULT_MAX_ATTEMPTS)) return undefined;
  const backoffSeconds =
    (retrier.IntervalSeconds ?? DEFAULT_INTERVAL_SECONDS) * (retrier.BackoffRate ?? DEFAULT_BACKOFF_RATE) ** spent;
  const delayMillis = Math.min(backoffSeconds, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const jitter = retrier.JitterStrategy === 'FULL' ? random() : 1;
  // Whole milliseconds, as all clocks have: ids of snapshots are made of them.
  return { retrierIndex, delayMillis: Math.round(delayMillis * jitter) };
}

export function decideCatch(catchers: readonly Catcher[], failure: StateFailure): Catcher | undefined {
  return catchers.find((catcher) => matches(catcher.ErrorEquals, failure));
}

/**
 * States.Runtime always ends the execution; States.DataLimitExceeded is matched by its name only; States.TaskFailed
 * is every known error but States.Timeout (Step Functions developer guide, "Error names").
 */
function matches(errorEquals: readonly string[], failure: StateFailure): boolean {
  const { errorName } = failure;
  if (errorName === STATES_RUNTIME || errorName === LOCAL_UNSUPPORTED) return false;
  if (errorName !== undefined && errorEquals.includes(errorName)) return true;
  if (errorName === STATES_DATA_LIMIT_EXCEEDED) return false;
  if (errorEquals.includes(STATES_ALL)) return true;
  return errorEquals.includes(STATES_TASK_FAILED) && errorName !== STATES_TIMEOUT;
}
