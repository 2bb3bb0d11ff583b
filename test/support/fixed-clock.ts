import type { Clock } from '../../core/ports/clock.ts';

/** A clock that stands still until the test moves it. Begins at 2026-01-31T22:00:00.000Z. */
export class FixedClock implements Clock {
  #epochMillis = Date.UTC(2026, 0, 31, 22, 0, 0);

  nowEpochMillis(): number {
    return this.#epochMillis;
  }

  /** Negative spans go back, as a clock that is set right does. */
  advanceMillis(span: number): void {
    this.#epochMillis += span;
  }

  advanceMinutes(minutes: number): void {
    this.advanceMillis(minutes * 60_000);
  }
}
