import { describe, expect, test } from 'vitest';
import { idling } from '../../../local/clock/local-clock.ts';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { type Fixture, fixture, flow, lambda, pass, START } from './workflow-fixture.ts';

describe('Wait', () => {
  const cases: readonly [wait: JsonObject, input: JsonValue, waitedMillis: number][] = [
    [{ Seconds: 0 }, {}, 0],
    [{ Seconds: 90 }, {}, 90_000],
    [{ SecondsPath: '$.s' }, { s: 7 }, 7000],
    [{ Timestamp: '2026-01-02T04:04:05Z' }, {}, 3_600_000],
    [{ TimestampPath: '$.t' }, { t: '2026-01-02T03:04:06+00:00' }, 1000],
    [{ TimestampPath: '$.t' }, { t: '2020-01-01T00:00:00Z' }, 0],
  ];
  test.each(cases)('%j with %j', async (wait, input, waitedMillis) => {
    const { run } = fixture(flow({ Later: { Type: 'Wait', End: true, ...wait } }));

    expect(await run(input)).toMatchObject({ output: input, stoppedAtEpochMillis: START + waitedMillis });
  });

  test('fails on what is no time', async () => {
    const { runtime, run } = fixture(flow({ Later: { Type: 'Wait', End: true, SecondsPath: '$.s' } }));

    expect(await run({ s: -1 }, 'a')).toMatchObject({ error: 'States.Runtime' });
    expect(await run({ s: 'soon' }, 'b')).toMatchObject({ error: 'States.Runtime' });
    expect(runtime.list({ status: 'FAILED' })).toHaveLength(2);
  });
});

/** A function that takes so many seconds on the clock. */
function slow(seconds: number, clockOf: () => Fixture) {
  return async () => {
    const { clock } = clockOf();
    await idling(clock, () => clock.sleep(seconds * 1000));
    return 'done';
  };
}

describe('time limits', () => {
  test('a Task that takes longer fails with States.Timeout, at the limit', async () => {
    const it: Fixture = fixture(flow({ Slow: lambda({ End: true, TimeoutSeconds: 60 }) }), {
      invokeFunction: slow(600, () => it),
    });

    expect(await it.run()).toMatchObject({
      status: 'FAILED',
      error: 'States.Timeout',
      stoppedAtEpochMillis: START + 60_000,
    });
  });

  test('a Task without a limit may take as long as it wants', async () => {
    const it: Fixture = fixture(flow({ Slow: lambda() }), { invokeFunction: slow(5000, () => it) });

    expect(await it.run()).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
  });

  test('the limit can come from the input', async () => {
    const it: Fixture = fixture(flow({ Slow: lambda({ End: true, TimeoutSecondsPath: '$.limit' }) }), {
      invokeFunction: slow(600, () => it),
    });

    expect(await it.run({ limit: 5 })).toMatchObject({ error: 'States.Timeout', stoppedAtEpochMillis: START + 5000 });
  });

  test('a timeout can be retried', async () => {
    let calls = 0;
    const it: Fixture = fixture(
      flow({ Slow: lambda({ End: true, TimeoutSeconds: 60, Retry: [{ ErrorEquals: ['States.Timeout'] }] }) }),
      {
        invokeFunction: async () => {
          calls += 1;
          return calls === 1 ? await slow(600, () => it)() : 'second';
        },
      },
    );

    expect(await it.run()).toMatchObject({ status: 'SUCCEEDED', output: 'second' });
  });

  test('a machine that takes longer is TIMED_OUT, and its states go no further', async () => {
    const definition = {
      ...flow({ Later: { Type: 'Wait', Seconds: 100, Next: 'After' }, After: pass({}) }),
      TimeoutSeconds: 30,
    };
    const { run, clock, events } = fixture(definition);

    const ended = await run();
    await clock.advance(1000_000);

    expect(ended).toMatchObject({ status: 'TIMED_OUT', stoppedAtEpochMillis: START + 30_000 });
    expect(events.filter(({ state }) => state === 'After')).toEqual([]);
  });
});
