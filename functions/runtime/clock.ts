import type { Clock } from '../../core/ports/clock.ts';
import { environment } from './environment.ts';

/**
 * The time of day of this machine: what file times are held against. Tests put it forward instead of waiting until files have
 * settled.
 */
export const machineClock: Clock = { nowEpochMillis: () => Date.now() + environment.RANKVAULT_MACHINE_AHEAD_MILLIS };

/** The time of the workflows: on AWS the machine's; the local runtime has a clock of its own, on which waits take no time. */
export const clock: Clock = { nowEpochMillis: () => runtimeClock()?.() ?? Date.now() };

function runtimeClock(): (() => number) | undefined {
  if (environment.RANKVAULT_CLOCK === undefined) {
    return undefined;
  }
  const found: unknown = Reflect.get(globalThis, Symbol.for(`rankvault.clock.${environment.RANKVAULT_CLOCK}`));
  return typeof found === 'function' ? () => Number(found()) : undefined;
}
