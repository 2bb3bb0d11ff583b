import { setImmediate as immediate } from 'node:timers/promises';
import type { LocalClock, SleepOptions, SleepOutcome } from './local-clock.ts';

interface SimulatedClockOptions {
  readonly startEpochMillis: number;
  /**
   * Jump to the next foreground sleeper as soon as no bracketed work runs, so that waits take no real time.
   * @default false
   */
  readonly autoAdvance?: boolean;
}

interface Sleeper {
  readonly dueEpochMillis: number;
  readonly background: boolean;
  readonly wake: (outcome: SleepOutcome) => void;
}

/**
 * Time that moves only when told, or by itself when nothing is at work.
 *
 * It moves one turn of the event loop at a time, so code that a sleeper's wake-up continues always runs to its next real wait before the
 * following sleeper is woken: two sleepers due at different times are never seen in the wrong order.
 */
export class SimulatedClock implements LocalClock {
  #nowEpochMillis: number;
  #workers = 0;
  #autoAdvance: boolean;
  #advancing = 0;
  #jumpScheduled = false;
  /** Sorted by due time; equal times in order of arrival. */
  readonly #sleepers: Sleeper[] = [];
  #idleWaiters: (() => void)[] = [];

  constructor(options: SimulatedClockOptions) {
    this.#nowEpochMillis = options.startEpochMillis;
    this.#autoAdvance = options.autoAdvance ?? false;
  }

  nowEpochMillis(): number {
    return this.#nowEpochMillis;
  }

  sleep(durationMillis: number, options: SleepOptions = {}): Promise<SleepOutcome> {
    const { signal } = options;
    if (signal?.aborted === true) return Promise.resolve('cancelled');
    if (durationMillis <= 0) return Promise.resolve('elapsed');
    return new Promise((resolve) => {
      const cancel = () => {
        this.#remove(sleeper);
        resolve('cancelled');
      };
      const sleeper: Sleeper = {
        dueEpochMillis: this.#nowEpochMillis + durationMillis,
        background: options.background ?? false,
        wake: (outcome) => {
          signal?.removeEventListener('abort', cancel);
          resolve(outcome);
        },
      };
      signal?.addEventListener('abort', cancel, { once: true });
      this.#insert(sleeper);
      this.#scheduleJump();
    });
  }

  enter(): void {
    this.#workers += 1;
  }

  leave(): void {
    if (this.#workers === 0) throw new Error('clock.leave() without clock.enter(): bracket work with working().');
    this.#workers -= 1;
    if (this.#workers > 0) return;
    for (const resume of this.#idleWaiters.splice(0)) resume();
    this.#scheduleJump();
  }

  /** Turns jumping ahead on or off. */
  setAutoAdvance(autoAdvance: boolean): void {
    this.#autoAdvance = autoAdvance;
    this.#scheduleJump();
  }

  /** Moves time at once, work or no work, waking every sleeper that is due, in order. */
  jump(durationMillis: number): void {
    const targetEpochMillis = this.#nowEpochMillis + durationMillis;
    while (this.#wakeNextBefore(targetEpochMillis));
    this.#nowEpochMillis = targetEpochMillis;
  }

  /**
   * Moves time step by step: after each wake-up it waits until no bracketed work runs, so that whatever starts at two
   * o'clock is done, or asleep, before it is three. Sleeps begun on the way are honored too.
   */
  async advance(durationMillis: number): Promise<void> {
    const targetEpochMillis = this.#nowEpochMillis + durationMillis;
    this.#advancing += 1;
    try {
      do {
        await this.settle();
      } while (this.#wakeNextBefore(targetEpochMillis));
      this.#nowEpochMillis = Math.max(this.#nowEpochMillis, targetEpochMillis);
    } finally {
      this.#advancing -= 1;
      this.#scheduleJump();
    }
  }

  /** Waits until no bracketed work runs and everything that was ready to run has run. */
  async settle(): Promise<void> {
    for (;;) {
      await immediate();
      if (this.#workers === 0) return;
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  #scheduleJump(): void {
    if (this.#jumpScheduled || !this.#mayJump()) return;
    this.#jumpScheduled = true;
    setImmediate(() => {
      this.#jumpScheduled = false;
      if (this.#mayJump()) this.#wakeNextBefore(Number.POSITIVE_INFINITY);
      this.#scheduleJump();
    });
  }

  #mayJump(): boolean {
    if (!this.#autoAdvance || this.#workers > 0 || this.#advancing > 0) return false;
    return this.#sleepers.some((sleeper) => !sleeper.background);
  }

  #wakeNextBefore(limitEpochMillis: number): boolean {
    const next = this.#sleepers[0];
    if (next === undefined || next.dueEpochMillis > limitEpochMillis) return false;
    this.#sleepers.shift();
    this.#nowEpochMillis = Math.max(this.#nowEpochMillis, next.dueEpochMillis);
    next.wake('elapsed');
    return true;
  }

  #insert(sleeper: Sleeper): void {
    const index = this.#sleepers.findIndex((other) => other.dueEpochMillis > sleeper.dueEpochMillis);
    this.#sleepers.splice(index === -1 ? this.#sleepers.length : index, 0, sleeper);
  }

  #remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index !== -1) this.#sleepers.splice(index, 1);
  }
}
