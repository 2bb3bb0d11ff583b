import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.ts';

export interface SharedClock {
  /** For the functions' RANKVAULT_CLOCK. */
  readonly name: string;
  end(): void;
}

/**
 * Lets functions that run in this process tell the same time as the workflows. File times are real whatever the workflows' clock
 * says, so these are held against the machine's own time, put forward by `machineAheadMillis`.
 */
export function shareClock(clock: Clock, machineAheadMillis: number): SharedClock {
  const name = randomUUID();
  const symbols = {
    workflow: Symbol.for(`rankvault.clock.workflow.${name}`),
    machine: Symbol.for(`rankvault.clock.machine.${name}`),
  };
  Reflect.set(globalThis, symbols.workflow, () => clock.nowEpochMillis());
  Reflect.set(globalThis, symbols.machine, () => Date.now() + machineAheadMillis);
  const end = () => {
    Reflect.deleteProperty(globalThis, symbols.workflow);
    Reflect.deleteProperty(globalThis, symbols.machine);
  };
  return { name, end };
}
