import type { LocalClock, SleepOptions, SleepOutcome } from './local-clock.ts';

/** setTimeout takes at most 2^31 - 1 milliseconds; longer sleeps are cut into pieces. */
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1;

/** The machine's own time: sleeps take as long as they say. */
export class SystemClock implements LocalClock {
  nowEpochMillis(): number {
    return Date.now();
  }

  async sleep(durationMillis: number, options: SleepOptions = {}): Promise<SleepOutcome> {
    const dueEpochMillis = Date.now() + durationMillis;
    for (;;) {
      if (options.signal?.aborted === true) return 'cancelled';
      const restMillis = dueEpochMillis - Date.now();
      if (restMillis <= 0) return 'elapsed';
      await pause(Math.min(restMillis, LONGEST_TIMER_MILLIS), options);
    }
  }

  /** Real time needs no brackets: it passes anyway. */
  enter(): void {}

  leave(): void {}
}

function pause(durationMillis: number, options: SleepOptions): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMillis);
    if (options.background === true) timer.unref();
    options.signal?.addEventListener('abort', finish, { once: true });
  });
}
