import type { Clock } from '../../core/ports/clock.ts';

/**
 * Time for everything that pretends to be AWS on a laptop: what waits on AWS waits on this clock.
 *
 * `enter` and `leave` bracket real work (an HTTP call, a handler), so that a simulated clock knows when it may jump.
 */
export interface LocalClock extends Clock {
  /** Resolves when `durationMillis` have passed on this clock, or when the signal aborts; never rejects. */
  sleep(durationMillis: number, options?: SleepOptions): Promise<SleepOutcome>;
  enter(): void;
  leave(): void;
}

export interface SleepOptions {
  readonly signal?: AbortSignal;
  /**
   * A background sleeper is woken when time passes it, but nobody jumps ahead for its sake: time limits, which should
   * not fire merely because nothing else happens, and recurring schedules, which would make the clock run for ever.
   * @default false
   */
  readonly background?: boolean;
}

export type SleepOutcome = 'elapsed' | 'cancelled';

/** Runs real work inside the brackets: time stands still while it runs. */
export async function working<T>(clock: LocalClock, work: () => Promise<T>): Promise<T> {
  clock.enter();
  try {
    return await work();
  } finally {
    clock.leave();
  }
}

/** The inverse, for a wait inside bracketed work: a handler that is slow on the clock, not in reality. */
export async function idling<T>(clock: LocalClock, wait: () => Promise<T>): Promise<T> {
  clock.leave();
  try {
    return await wait();
  } finally {
    clock.enter();
  }
}
