import type { MapState } from './definition.ts';
import type { ExecutionStatus } from './execution.ts';
import { numberOf } from './map-items.ts';
import type { StateRun } from './run-state.ts';

interface ToleratedFailures {
  readonly count: number | undefined;
  readonly percentage: number | undefined;
}

/** Whether a Map Run has failed too often. With neither limit given, one failure is one too many. */
export class Tolerance {
  readonly #limits: ToleratedFailures;
  #failed = 0;
  #items = 0;
  #allRead = false;

  constructor(limits: ToleratedFailures) {
    this.#limits = limits;
  }

  noteItem(): void {
    this.#items += 1;
  }

  /** From here on a percentage means something. */
  noteAllRead(): void {
    this.#allRead = true;
  }

  note(status: ExecutionStatus): void {
    if (status === 'FAILED' || status === 'TIMED_OUT') this.#failed += 1;
  }

  /** What can be said while items are still being read: a share of an unknown number is unknown, unless it is zero. */
  isExceeded(): boolean {
    const { count, percentage } = this.#limits;
    if (count === undefined && percentage === undefined) return this.#failed > 0;
    if (count !== undefined && this.#failed > count) return true;
    if (percentage === undefined) return false;
    return percentage === 0 ? this.#failed > 0 : this.#allRead && this.#failedPercentage() > percentage;
  }

  isExceededAtEnd(): boolean {
    this.#allRead = true;
    return this.isExceeded();
  }

  #failedPercentage(): number {
    return this.#items === 0 ? 0 : (100 * this.#failed) / this.#items;
  }
}

export async function toleranceOf(state: MapState, run: StateRun): Promise<Tolerance> {
  return new Tolerance({
    count: await numberOf(state.ToleratedFailureCount, state.ToleratedFailureCountPath, run),
    percentage: await numberOf(state.ToleratedFailurePercentage, state.ToleratedFailurePercentagePath, run),
  });
}
