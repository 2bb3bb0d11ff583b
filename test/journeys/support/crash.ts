import { expect } from 'vitest';
import { ApiError } from '../../../local/endpoints/api-error.ts';
import { S3Error } from '../../../local/s3/protocol/s3-error.ts';
import type { ExecutionView } from '../../../local/workflow/execution.ts';
import type { JsonObject } from '../../../local/workflow/json.ts';
import type { Journey } from './journey.ts';

/**
 * Dies at every request: a harness for any machine. The machine runs and dies with one of its requests to AWS, is run again, and the
 * test looks whether all is as it should be; then the world goes back to where it was, and the next request is the deadly one.
 */

/** So long after its end nothing of an execution can still write, and its locks may be taken over. */
const LOCKS_ARE_FREE_AFTER_MILLIS = 17 * 60_000;

export interface Death {
  /** The functions' requests to S3, Step Functions, Scheduler and Secrets Manager are counted together, from 1. */
  readonly request: number;
  /**
   * False: it died on its way. True: it was carried out, and nobody was left to hear the answer; only requests that change something
   * are counted then, because a read that nobody heard of is none.
   */
  readonly carriedOut: boolean;
}

export interface CrashScene {
  /** Construct id. */
  readonly machine: string;
  readonly input: JsonObject;
  /** Puts back what is not in a bucket. @default - everything is in buckets */
  readonly reset?: () => Promise<void>;
  /** What the second run must come to. @default - it succeeds */
  readonly expectAgain?: (view: ExecutionView) => Promise<void>;
  /** @param death undefined: nothing had died, and `view` is the only run */
  readonly check: (view: ExecutionView, death: Death | undefined) => Promise<void>;
}

/** Dies before its request of this number is carried out. */
export const before = (request: number): Death => ({ request, carriedOut: false });
/** Dies when so many requests that change something have been carried out. */
export const after = (request: number): Death => ({ request, carriedOut: true });

/** `npm run test:kill` dies at every request, in both ways. */
const KILL_EVERY = process.env['RANKVAULT_KILL_EVERY'] === '1';

/**
 * @param scene is set already; everything in the buckets is put back before each try
 * @param sample what `npm test` tries
 */
export async function crashEverywhere(journey: Journey, scene: CrashScene, sample: readonly Death[]): Promise<void> {
  const world = journey.laptop.s3.checkpoint();
  try {
    const attempt = async (death: Death) => {
      world.restore();
      journey.events.length = 0;
      await scene.reset?.();
      return attemptAndCheck(journey, scene, death);
    };
    await (KILL_EVERY ? tryAll(attempt) : trySome(attempt, sample));
    world.restore();
  } finally {
    world.release();
  }
}

type Attempt = (death: Death) => Promise<Died['killed']>;

async function tryAll(attempt: Attempt): Promise<void> {
  for (const dies of [before, after]) {
    let request = 1;
    while (await attempt(dies(request))) {
      request += 1;
    }
    expect(request).toBeGreaterThan(3);
  }
}

async function trySome(attempt: Attempt, sample: readonly Death[]): Promise<void> {
  for (const death of sample) {
    expect({ death, killed: await attempt(death) }).toEqual({ death, killed: true });
  }
}

async function attemptAndCheck(journey: Journey, scene: CrashScene, death: Death): Promise<boolean> {
  const { killed, view } = await runAndDie(journey, scene, death);
  if (killed) {
    await checkAgain(journey, scene, death);
  } else {
    await scene.check(view, undefined);
  }
  return killed;
}

async function checkAgain(journey: Journey, scene: CrashScene, death: Death): Promise<void> {
  const { machine, input } = scene;
  try {
    const view = await journey.laptop.run(machine, input);
    await journey.laptop.quiet();
    await (scene.expectAgain ?? expectSuccess)(view);
    await scene.check(view, death);
  } catch (error) {
    const way = death.carriedOut ? 'with the answer of' : 'before';
    throw new Error(
      `${machine} ${JSON.stringify(input)} died ${way} request ${death.request} and was run again: ${error}`,
      {
        cause: error,
      },
    );
  }
}

async function expectSuccess({ status, error, cause }: ExecutionView): Promise<void> {
  expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED', error: undefined, cause: undefined });
}

export interface Died {
  /** False when the run ended before the moment came: there are no more moments. */
  readonly killed: boolean;
  readonly view: ExecutionView;
}

/**
 * Starts a machine, stops its execution at the moment and lets nothing of it act afterwards: its functions' requests fail from then on,
 * as a killed Lambda's would. Time then passes until its locks are free.
 */
export async function runAndDie(
  journey: Journey,
  { machine, input }: Pick<CrashScene, 'machine' | 'input'>,
  death: Death,
): Promise<Died> {
  const { runtime, clock } = journey.laptop;
  let killed = false;
  const started = runtime.start({ stateMachineArn: journey.laptop.machineArn(machine), input });
  const watch = watchRequests(journey, (requests) => {
    if (!killed && (death.carriedOut ? requests.changed : requests.begun) === death.request) {
      killed = true;
      // The drill of a verification dies with it, and so does the expiry that a snapshot has started.
      for (const { executionArn } of runtime.list({ status: 'RUNNING' })) {
        runtime.stop(executionArn, { error: 'Killed', cause: 'By the test.' });
      }
    }
    return killed;
  });
  await runtime.result(started.executionArn);
  await journey.laptop.quiet();
  await watch.settled();
  watch.end();
  clock.jump(LOCKS_ARE_FREE_AFTER_MILLIS);
  return { killed, view: runtime.describe(started.executionArn) };
}

interface Requests {
  begun: number;
  /** Carried out, of those that change something. */
  changed: number;
}

const READS = /^(states:|scheduler:|secretsmanager:)?(Get|Head|List|Describe)/;

interface Watch {
  /** No function is at work any more. */
  readonly settled: () => Promise<void>;
  readonly end: () => void;
}

/** @param isDead told of each request before it is carried out, and after; true: its function is dead */
function watchRequests(journey: Journey, isDead: (requests: Requests) => boolean): Watch {
  const requests = { begun: 0, changed: 0 };
  const begin = (refuse: () => Error) => {
    requests.begun += 1;
    if (isDead(requests)) {
      throw refuse();
    }
  };
  const end = (operation: string) => {
    requests.changed += READS.test(operation) ? 0 : 1;
    isDead(requests);
  };
  const stops = [
    journey.laptop.s3.observe({
      before: ({ caller }) => (caller === 'laptop' ? undefined : begin(() => new S3Error('AccessDenied', DEAD))),
      after: ({ caller, operation }) => (caller === 'laptop' ? undefined : end(operation)),
    }),
    journey.laptop.aws.observe({
      before: () => begin(() => new ApiError('AccessDeniedException', DEAD)),
      after: end,
    }),
  ];
  const underWay = new Set<Promise<unknown>>();
  journey.hooks.aroundInvoke = (_call, proceed) => {
    const call = proceed().finally(() => underWay.delete(call));
    underWay.add(call);
    return call;
  };
  return {
    settled: async () => {
      await Promise.allSettled(underWay);
    },
    end: () => {
      journey.hooks.aroundInvoke = undefined;
      for (const stop of stops) {
        stop();
      }
    },
  };
}

const DEAD = 'This function is dead.';
