// cspell:words Timedout
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../local/workflow/json.ts';
import { LambdaServiceError, sandboxTimedOut, tooManyRequests } from '../../../local/workflow/lambda-task.ts';
import { failure, fixture, flow, lambda, pass, START } from './workflow-fixture.ts';

/** Fails as told, then succeeds with the number of calls. */
function failing(...errors: readonly Error[]) {
  let calls = 0;
  return async () => {
    const error = errors[calls];
    calls += 1;
    if (error !== undefined) throw error;
    return calls;
  };
}

function times(count: number, name = 'Flaky'): Error[] {
  return Array.from({ length: count }, () => failure(name));
}

function retrying(...retriers: readonly JsonObject[]): JsonObject {
  return flow({ Try: lambda({ End: true, Retry: [...retriers] }) });
}

describe('Retry', () => {
  test('waits longer each time, on the clock', async () => {
    const retrier = { ErrorEquals: ['Flaky'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 4, MaxDelaySeconds: 10 };
    const { run, events } = fixture(retrying(retrier), { invokeFunction: failing(...times(4)) });

    const ended = await run();

    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: 5, stoppedAtEpochMillis: START + 28_000 });
    const delays = events.filter(({ type }) => type === 'retried').map(({ retryDelayMillis }) => retryDelayMillis);
    expect(delays).toEqual([2000, 6000, 10_000, 10_000]);
  });

  test('has the defaults of the States Language: three times, after 1, 2 and 4 seconds', async () => {
    const { run } = fixture(retrying({ ErrorEquals: ['States.ALL'] }), { invokeFunction: failing(...times(4)) });

    expect(await run()).toMatchObject({ status: 'FAILED', error: 'Flaky', stoppedAtEpochMillis: START + 7000 });
  });

  test('takes a random share of the delay with full jitter', async () => {
    const retrier = { ErrorEquals: ['Flaky'], IntervalSeconds: 10, JitterStrategy: 'FULL' };
    const { run } = fixture(retrying(retrier), { invokeFunction: failing(...times(1)), random: () => 0.25 });

    expect(await run()).toMatchObject({ stoppedAtEpochMillis: START + 2500 });
  });

  test('waits whole milliseconds, whatever the jitter', async () => {
    const retrier = { ErrorEquals: ['Flaky'], IntervalSeconds: 1, JitterStrategy: 'FULL' };
    const { run } = fixture(retrying(retrier), { invokeFunction: failing(...times(1)), random: () => 1 / 3 });

    expect(await run()).toMatchObject({ stoppedAtEpochMillis: START + 333 });
  });

  test('counts attempts per retrier, and the first that matches decides', async () => {
    const first = { ErrorEquals: ['Flaky'], MaxAttempts: 1, IntervalSeconds: 1 };
    const rest = { ErrorEquals: ['States.ALL'], MaxAttempts: 5, IntervalSeconds: 1 };
    const other = [failure('Flaky'), failure('Other'), failure('Other'), failure('Flaky')];

    const { run } = fixture(retrying(first, rest), { invokeFunction: failing(...other) });

    expect(await run()).toMatchObject({ status: 'FAILED', error: 'Flaky', stateTransitions: 4 });
  });

  test('does not retry with MaxAttempts 0', async () => {
    const { run } = fixture(retrying({ ErrorEquals: ['Flaky'], MaxAttempts: 0 }), {
      invokeFunction: failing(...times(1)),
    });

    expect(await run()).toMatchObject({ status: 'FAILED', stoppedAtEpochMillis: START });
  });

  test('shows the number of retries in the context', async () => {
    const definition = flow({
      Try: lambda({ End: true, Parameters: { 'n.$': '$$.State.RetryCount' }, Retry: [{ ErrorEquals: ['Flaky'] }] }),
    });
    const { run } = fixture(definition, {
      invokeFunction: async (_name, payload) => {
        if (JSON.stringify(payload) !== '{"n":2}') throw failure('Flaky');
        return payload;
      },
    });

    expect(await run()).toMatchObject({ status: 'SUCCEEDED', output: { n: 2 } });
  });
});

describe('Catch', () => {
  const caught = (errorEquals: string[], rest: JsonObject = {}) =>
    flow({
      Try: lambda({ End: true, Catch: [{ ErrorEquals: errorEquals, Next: 'Rescue', ...rest }] }),
      Rescue: { Type: 'Succeed' },
    });

  test('puts the error where ResultPath says', async () => {
    const { run } = fixture(caught(['Flaky'], { ResultPath: '$.error' }), { invokeFunction: failing(...times(1)) });

    const { output } = await run({ a: 1 });

    expect(output).toEqual({ a: 1, error: { Error: 'Flaky', Cause: expect.any(String) } });
  });

  test('replaces the input without ResultPath, and keeps it with null', async () => {
    const replacing = fixture(caught(['States.ALL']), { invokeFunction: failing(...times(1)) });
    const keeping = fixture(caught(['States.ALL'], { ResultPath: null }), { invokeFunction: failing(...times(1)) });

    expect(await replacing.run({ a: 1 })).toMatchObject({ output: { Error: 'Flaky' } });
    expect((await keeping.run({ a: 1 })).output).toEqual({ a: 1 });
  });

  test('comes after the last retry', async () => {
    const definition = flow({
      Try: lambda({
        End: true,
        Retry: [{ ErrorEquals: ['Flaky'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['Flaky'], Next: 'Rescue' }],
      }),
      Rescue: pass({ Result: 'rescued' }),
    });
    const { run } = fixture(definition, { invokeFunction: failing(...times(2)) });

    expect(await run()).toMatchObject({ output: 'rescued', stoppedAtEpochMillis: START + 1000 });
  });

  const matching: readonly [thrown: string, errorEquals: string[], isCaught: boolean][] = [
    ['Flaky', ['States.TaskFailed'], true],
    ['Flaky', ['Other'], false],
    ['States.Timeout', ['States.TaskFailed'], false],
    ['States.Timeout', ['States.ALL'], true],
    ['States.Timeout', ['States.Timeout'], true],
    ['States.DataLimitExceeded', ['States.ALL'], false],
    ['States.DataLimitExceeded', ['States.TaskFailed'], false],
    ['States.DataLimitExceeded', ['States.DataLimitExceeded'], true],
    ['States.Runtime', ['States.ALL'], false],
    ['States.Runtime', ['States.Runtime'], false],
  ];
  test.each(matching)('%s with %j: caught %s', async (thrown, errorEquals, isCaught) => {
    const { run } = fixture(caught(errorEquals), { invokeFunction: failing(failure(thrown)) });

    expect(await run()).toMatchObject({ status: isCaught ? 'SUCCEEDED' : 'FAILED' });
  });
});

describe('errors of functions', () => {
  const broken = (error: Error) => fixture(flow({ Try: lambda() }), { invokeFunction: failing(error) });

  test('are named as the handler named them, with a JSON cause', async () => {
    const ended = await broken(failure('RankMissing', 'rank 3 is not there')).run();

    expect(ended.error).toBe('RankMissing');
    expect(JSON.parse(ended.cause ?? '')).toMatchObject({
      errorType: 'RankMissing',
      errorMessage: 'rank 3 is not there',
      trace: expect.arrayContaining([expect.stringContaining('at ')]),
    });
  });

  test('of Lambda itself keep the names of AWS', async () => {
    expect(await broken(tooManyRequests()).run()).toMatchObject({ error: 'Lambda.TooManyRequestsException' });
    expect(await broken(new LambdaServiceError('Lambda.Unknown', 'gone')).run()).toMatchObject({
      error: 'Lambda.Unknown',
      cause: 'gone',
    });
    const timedOut = await broken(sandboxTimedOut('id', 3)).run();
    expect(timedOut.error).toBe('Sandbox.Timedout');
    expect(JSON.parse(timedOut.cause ?? '')).toMatchObject({
      errorMessage: expect.stringContaining('timed out after 3.00 seconds'),
    });
  });
});
