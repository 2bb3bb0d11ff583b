import type { Clock } from '../../core/ports/clock.ts';
import { environment } from './environment.ts';

/** The time of day of this machine: what file times are held against. */
export const machineClock: Clock = { nowEpochMillis: () => shared('machine')?.() ?? Date.now() };

/** The time of the workflows: on AWS the machine's; the local runtime has a clock of its own, on which waits take no time. */
export const clock: Clock = { nowEpochMillis: () => shared('workflow')?.() ?? Date.now() };

function shared(kind: 'workflow' | 'machine'): (() => number) | undefined {
  if (environment.RANKVAULT_CLOCK === undefined) {
    return undefined;
  }
  const found: unknown = Reflect.get(globalThis, Symbol.for(`rankvault.clock.${kind}.${environment.RANKVAULT_CLOCK}`));
  return typeof found === 'function' ? () => Number(found()) : undefined;
}
