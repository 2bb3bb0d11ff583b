import type { Poll } from './run.ts';

export interface PollLimits {
  readonly firstWaitSeconds: number;
  readonly maxWaitSeconds: number;
  readonly maxPolls: number;
}

/** The next wait, doubled up to the limit; `undefined` when the bound on polls is reached. */
export function pollAgain(poll: Poll, limits: PollLimits): Poll | undefined {
  if (poll.count >= limits.maxPolls) {
    return undefined;
  }
  const waitSeconds = Math.min(limits.maxWaitSeconds, limits.firstWaitSeconds * 2 ** Math.min(poll.count, 20));
  return { count: poll.count + 1, ready: false, waitSeconds };
}

export function pollDone(poll: Poll): Poll {
  return { count: poll.count, ready: true, waitSeconds: 0 };
}
