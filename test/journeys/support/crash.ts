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
  /** How it is run again. @default - the same machine with the same input */
  readonly again?: () => Promise<ExecutionView>;
  /** @param death undefined: nothing had died, and `view` is the only run */
  readonly check: (view: ExecutionView, death: Death | undefined) => Promise<void>;
}

/** Which deaths are tried. */
export interface Sample {
  readonly first: number;
  /** Every so many requests; the two ways to die take turns. */
  readonly every: number;
  /** A machine that dies later than this has been seen often enough. @default - up to its end */
  readonly last?: number;
}

/** `npm run test:kill` dies at every request, in both ways. */
const KILL_EVERY = process.env['RANKVAULT_KILL_EVERY'] === '1';

/**
 * @param scene is set already; everything in the buckets is put back before each try
 * @returns requests that the run makes, as far as they were tried
 */
export async function crashEverywhere(journey: Journey, scene: CrashScene, sample: Sample): Promise<number> {
  const world = journey.laptop.s3.checkpoint();
  try {
    const attempt = async (death: Death) => {
      world.restore();
      await scene.reset?.();
      return attemptAndCheck(journey, scene, death);
    };
    return KILL_EVERY ? await tryAll(attempt) : await trySome(attempt, sample);
  } finally {
    world.release();
  }
}

type Attempt = (death: Death) => Promise<Died['killed']>;

async function tryAll(attempt: Attempt): Promise<number> {
  let requests = 0;
  for (const carriedOut of [false, true]) {
    let request = 1;
    while (await attempt({ request, carriedOut })) {
      request += 1;
    }
    requests = Math.max(requests, request);
  }
  return requests;
}

async function trySome(attempt: Attempt, sample: Sample): Promise<number> {
  for (const death of deaths(sample)) {
    if (!(await attempt(death))) {
      return death.request;
    }
  }
  return sample.last ?? 0;
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

function* deaths({ first, every, last = Number.POSITIVE_INFINITY }: Sample): Generator<Death> {
  let carriedOut = false;
  for (let request = first; request <= last; request += every) {
    yield { request, carriedOut };
    carriedOut = !carriedOut;
  }
}

async function checkAgain(journey: Journey, scene: CrashScene, death: Death): Promise<void> {
  const { machine, input } = scene;
  try {
    const view = await (scene.again ?? (() => journey.laptop.run(machine, input)))();
    await journey.laptop.quiet();
    expect({ status: view.status, cause: view.cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
    await scene.check(view, death);
  } catch (error) {
    const way = death.carriedOut ? 'with the answer of' : 'before';
    throw new Error(`${machine} ${JSON.stringify(input)} died ${way} request ${death.request} and was run again: ${error}`, {
      cause: error,
    });
  }
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
