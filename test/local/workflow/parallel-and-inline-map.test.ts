import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../local/workflow/json.ts';
import { failure, fixture, flow, lambda, pass, START } from './workflow-fixture.ts';

const failingOn = (bad: string) => async (_name: string, payload: unknown) => {
  if (JSON.stringify(payload) === bad) throw failure('Broken', `will not take ${bad}`);
  return null;
};

describe('Parallel', () => {
  const both = (rest: JsonObject = {}): JsonObject => ({
    Type: 'Parallel',
    Branches: [
      flow({ Short: { Type: 'Wait', Seconds: 10, Next: 'A' }, A: lambda({ End: true, ResultPath: '$.a' }) }),
      flow({ Long: { Type: 'Wait', Seconds: 20, Next: 'B' }, B: pass({ Result: 'b' }) }),
    ],
    End: true,
    ...rest,
  });

  test('runs branches at the same time and gives their outputs in order', async () => {
    const ended = await fixture(flow({ Both: both() })).run({ n: 1 });

    expect(ended).toMatchObject({ output: [{ n: 1, a: { n: 1 } }, 'b'], stoppedAtEpochMillis: START + 20_000 });
  });

  test('fails with the error of the branch and stops the others', async () => {
    const { run, events } = fixture(flow({ Both: both() }), { invokeFunction: failingOn('{}') });

    expect(await run()).toMatchObject({ error: 'Broken', stoppedAtEpochMillis: START + 10_000 });
    expect(events.some(({ state }) => state === 'B')).toBe(false);
  });

  test('can catch, retry and shape like a Task', async () => {
    const rest = {
      Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 1, IntervalSeconds: 5 }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Rescue' }],
    };
    const { run } = fixture(flow({ Both: both(rest), Rescue: pass({}) }), { invokeFunction: failingOn('{"n":1}') });

    expect(await run({ n: 1 })).toMatchObject({
      status: 'SUCCEEDED',
      output: { n: 1, error: { Error: 'Broken', Cause: expect.stringContaining('will not take') } },
      stoppedAtEpochMillis: START + 25_000,
    });
  });
});

describe('an inline Map', () => {
  const each = (rest: JsonObject = {}): JsonObject => ({
    Type: 'Map',
    ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...flow({ Work: lambda() }) },
    End: true,
    ...rest,
  });

  test('goes through the list and gives the outputs in order', async () => {
    const { run } = fixture(flow({ Each: each({ ItemsPath: '$.list', ResultPath: '$.out' }) }));

    expect((await run({ list: [1, 2] })).output).toEqual({ list: [1, 2], out: [1, 2] });
  });

  test('gives each iteration what ItemSelector makes of item, index and input', async () => {
    const selector = { 'item.$': '$$.Map.Item.Value', 'index.$': '$$.Map.Item.Index', 'of.$': '$.name' };
    const { run } = fixture(flow({ Each: each({ ItemsPath: '$.list', ItemSelector: selector }) }));

    expect((await run({ name: 'x', list: ['a', 'b'] })).output).toEqual([
      { item: 'a', index: 0, of: 'x' },
      { item: 'b', index: 1, of: 'x' },
    ]);
  });

  test('runs no more at once than it may', async () => {
    let running = 0;
    let most = 0;
    const { run } = fixture(flow({ Each: each({ MaxConcurrency: 2 }) }), {
      invokeFunction: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return null;
      },
    });

    await run([1, 2, 3, 4, 5]);

    expect(most).toBe(2);
  });

  test('fails with the error of the item', async () => {
    const { run } = fixture(flow({ Each: each() }), { invokeFunction: failingOn('2') });

    expect(await run([1, 2, 3])).toMatchObject({ status: 'FAILED', error: 'Broken' });
  });

  test('has nothing to do with an empty list and refuses what is none', async () => {
    const { run } = fixture(flow({ Each: each() }));

    expect(await run([], 'empty')).toMatchObject({ status: 'SUCCEEDED', output: [] });
    expect(await run({}, 'none')).toMatchObject({ error: 'States.Runtime' });
  });
});
