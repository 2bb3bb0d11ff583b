import type { LocalS3 } from '../../../local/s3/local-s3.ts';
import { S3Error } from '../../../local/s3/protocol/s3-error.ts';
import type { Journey } from './journey.ts';

/** So long after its end nothing of an execution can still write, and its locks may be taken over. */
const LOCKS_ARE_FREE_AFTER_MILLIS = 17 * 60_000;

export type KillMoment =
  /** When so many invocations have returned. */
  | { readonly afterInvocation: number }
  /** While the functions' request of this number is on its way to S3: it is not carried out, and its function dies. */
  | { readonly atRequest: number };

export interface Killed {
  /** False when the run ended before the moment came: there are no more moments. */
  readonly killed: boolean;
}

/**
 * Starts a machine, stops its execution at the moment and lets nothing of it act afterwards: its functions' requests fail from
 * then on, as a killed Lambda's would. Time then passes until its locks are free.
 */
export async function runAndKill(
  journey: Journey,
  machine: string,
  input: Record<string, string | Record<string, string | boolean>>,
  moment: KillMoment,
): Promise<Killed> {
  const { runtime, s3, clock } = journey.laptop;
  const started = runtime.start({ stateMachineArn: journey.laptop.machineArn(machine), input });
  let dead = false;
  const kill = () => {
    dead = true;
    runtime.stop(started.executionArn, { error: 'Killed', cause: 'By the test.' });
  };
  const calls = watchCalls(journey, (returned) => {
    if (!dead && 'afterInvocation' in moment && returned === moment.afterInvocation) {
      kill();
    }
  });
  const unobserve = failRequests(s3, (number) => {
    if (!dead && 'atRequest' in moment && number === moment.atRequest) {
      kill();
    }
    return dead;
  });
  await runtime.result(started.executionArn);
  await calls.settled();
  unobserve();
  journey.hooks.aroundInvoke = undefined;
  clock.jump(LOCKS_ARE_FREE_AFTER_MILLIS);
  return { killed: dead };
}

function watchCalls(journey: Journey, onReturn: (returned: number) => void): { readonly settled: () => Promise<void> } {
  const underWay = new Set<Promise<unknown>>();
  let returned = 0;
  journey.hooks.aroundInvoke = async (_call, proceed) => {
    const call = proceed();
    underWay.add(call);
    try {
      const result = await call;
      returned += 1;
      onReturn(returned);
      return result;
    } finally {
      underWay.delete(call);
    }
  };
  return {
    settled: async () => {
      await Promise.allSettled(underWay);
    },
  };
}

/** @returns what ends it */
function failRequests(s3: LocalS3, isDead: (number: number) => boolean): () => void {
  let number = 0;
  return s3.observe({
    before: ({ caller }) => {
      if (caller === 'laptop') {
        return;
      }
      number += 1;
      if (isDead(number)) {
        throw new S3Error('AccessDenied', 'This function is dead.');
      }
    },
  });
}
