// cspell:words Redrive
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { idling } from '../../../local/clock/local-clock.ts';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { startTinyS3, type TinyS3 } from './tiny-s3.ts';
import { type Fixture, failure, fixture, flow, lambda, MACHINE_ARN, pass } from './workflow-fixture.ts';

let s3: TinyS3;
beforeEach(async () => {
  s3 = await startTinyS3();
});
afterEach(() => s3.close());

function each(rest: JsonObject = {}, work: JsonObject = lambda()): JsonObject {
  return flow({
    Each: {
      Type: 'Map',
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...flow({ Work: work }) },
      End: true,
      ...rest,
    },
  });
}

function reader(operation: string, parameters: JsonObject, config?: JsonObject): JsonObject {
  const readerConfig = config === undefined ? {} : { ReaderConfig: config };
  return { ItemReader: { Resource: `arn:aws:states:::s3:${operation}`, Parameters: parameters, ...readerConfig } };
}

function jsonLines(bucketAndKey: string, items: readonly JsonValue[]): void {
  s3.objects.set(bucketAndKey, items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}

const lines = reader('getObject', { Bucket: 'work', Key: 'items.jsonl' }, { InputType: 'JSONL' });

/** Fails on the items named. */
function failingOn(...bad: readonly JsonValue[]) {
  return async (_name: string, payload: JsonValue) => {
    if (bad.includes(payload)) throw failure('Broken', `item ${String(payload)}`);
    return payload;
  };
}

describe('reads its items', () => {
  test('from the state', async () => {
    const { run } = fixture(each({ ItemsPath: '$.list' }));

    expect((await run({ list: [3, 4] })).output).toEqual([3, 4]);
  });

  test('from a JSON array whose place is in the state', async () => {
    s3.objects.set('work/a/b.json', '[{"n":1},{"n":2}]');
    const place = reader('getObject', { 'Bucket.$': '$.bucket', 'Key.$': '$.key' }, { InputType: 'JSON' });
    const { run } = fixture(each(place), { s3: s3.client });

    expect((await run({ bucket: 'work', key: 'a/b.json' })).output).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('from JSON Lines, of which the last needs no end', async () => {
    s3.objects.set('work/items.jsonl', '1\n\n"z\u00fc"\n3');
    const { run } = fixture(each(lines), { s3: s3.client });

    expect((await run()).output).toEqual([1, 'z\u00fc', 3]);
  });

  test('from a listing of several pages', async () => {
    for (const key of ['p/a', 'p/b', 'p/c', 'q/d']) s3.objects.set(`work/${key}`, 'x');
    const { run } = fixture(each(reader('listObjectsV2', { Bucket: 'work', Prefix: 'p/' })), { s3: s3.client });

    const { output } = await run();

    expect(output).toEqual(
      ['p/a', 'p/b', 'p/c'].map((key) => ({
        Etag: '"e"',
        Key: key,
        LastModified: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000,
        Size: 1,
        StorageClass: 'STANDARD',
      })),
    );
  });

  test('up to MaxItems', async () => {
    jsonLines('work/items.jsonl', [1, 2, 3]);
    const limited = reader('getObject', { Bucket: 'work', Key: 'items.jsonl' }, { InputType: 'JSONL', MaxItems: 2 });
    const { run } = fixture(each(limited), { s3: s3.client });

    expect((await run()).output).toEqual([1, 2]);
  });

  test('and succeeds without any', async () => {
    jsonLines('work/items.jsonl', []);
    const { run } = fixture(each(lines), { s3: s3.client });

    expect(await run()).toMatchObject({ status: 'SUCCEEDED', output: [] });
  });

  test.each([
    ['no object', undefined],
    ['no JSON', '{"n":1}\nnonsense\n'],
  ])('and fails with States.ItemReaderFailed when there is %s', async (_what, body) => {
    if (body !== undefined) s3.objects.set('work/items.jsonl', body);
    const { run } = fixture(each(lines), { s3: s3.client });

    expect(await run()).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
  });

  test('as they are needed: children have run before a later item turns out to be broken', async () => {
    s3.objects.set('work/items.jsonl', '1\n2\n3\nnonsense\n');
    const { run, events } = fixture(each({ ...lines, MaxConcurrency: 1 }), { s3: s3.client });

    expect(await run()).toMatchObject({ error: 'States.ItemReaderFailed' });
    expect(events.filter(({ type }) => type === 'mapItemEnded').map(({ itemIndex }) => itemIndex)).toEqual([0, 1, 2]);
  });
});

describe('children', () => {
  test('are executions of their own, with their own context', async () => {
    const work = pass({ Parameters: { 'execution.$': '$$.Execution', 'machine.$': '$$.StateMachine', 'in.$': '$' } });
    const { run } = fixture(
      each(
        {
          Label: 'Parts',
          ItemSelector: { 'n.$': '$$.Map.Item.Value', 'i.$': '$$.Map.Item.Index', 'run.$': '$$.Execution.Name' },
        },
        work,
      ),
    );

    const { output } = await run(['a', 'b'], 'parent');

    expect(output).toEqual(
      ['a', 'b'].map((n, i) => ({
        in: { n, i, run: 'parent' },
        execution: {
          Id: expect.stringMatching(/^arn:aws:states:us-east-1:000000000000:execution:Sample\/Parts:[0-9a-f-]{36}$/),
          Name: expect.stringMatching(/^[0-9a-f-]{36}$/),
          Input: { n, i, run: 'parent' },
          StartTime: '2026-01-02T03:04:05.000Z',
          RoleArn: expect.any(String),
          RedriveCount: 0,
        },
        machine: { Id: `${MACHINE_ARN}/Parts`, Name: 'Sample/Parts' },
      })),
    );
  });

  test('do not see the item in their context', async () => {
    const { run } = fixture(each({}, pass({ Parameters: { 'x.$': '$$.Map.Item.Index' } })));

    expect(await run([1])).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
  });

  test('can be listed by their Map Run', async () => {
    const { run, runtime, events } = fixture(each());
    await run([1, 2]);

    const mapRunArn = events.find(({ type }) => type === 'mapRunStarted')?.mapRunArn ?? '';

    expect(mapRunArn).toMatch(/^arn:aws:states:us-east-1:000000000000:mapRun:Sample\/Each:[0-9a-f-]{36}$/);
    expect(runtime.list({ mapRunArn }).map(({ input }) => input)).toEqual([2, 1]);
    expect(runtime.list()).toHaveLength(1);
  });

  test('run no more at once than MaxConcurrencyPath says', async () => {
    let running = 0;
    let most = 0;
    const it: Fixture = fixture(each({ ItemsPath: '$.list', MaxConcurrencyPath: '$.at' }), {
      invokeFunction: async () => {
        running += 1;
        most = Math.max(most, running);
        await idling(it.clock, () => it.clock.sleep(1000));
        running -= 1;
        return null;
      },
    });

    await it.run({ list: [1, 2, 3, 4, 5], at: 3 });

    expect(most).toBe(3);
  });

  test('with more than a state may carry fail the Map', async () => {
    const { run } = fixture(each({ ItemsPath: '$.list', ItemSelector: { 'a.$': '$.big', 'b.$': '$.big' } }));

    expect(await run({ list: [1], big: 'x'.repeat(200_000) })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

describe('failures', () => {
  test('beyond the tolerance stop the children that run and start no others', async () => {
    const started: JsonValue[] = [];
    const it: Fixture = fixture(each({ MaxConcurrency: 2 }), {
      invokeFunction: async (_name, payload) => {
        started.push(payload);
        await idling(it.clock, () => it.clock.sleep(payload === 1 ? 1000 : 5000));
        if (payload === 1) throw failure('Broken');
        return payload;
      },
    });

    const ended = await it.run([1, 2, 3, 4]);

    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
    expect(started).toEqual([1, 2]);
    const children = it.events.filter(({ type, machine }) => type === 'executionEnded' && machine === 'Sample/Each');
    expect(children.map(({ status, error }) => [status, error])).toEqual([
      ['FAILED', 'Broken'],
      ['ABORTED', undefined],
    ]);
  });

  test('can be caught by that name only', async () => {
    const rescue = (name: string) => ({
      ...each({ Catch: [{ ErrorEquals: [name], Next: 'Rescue' }] }),
    });
    const withRescue = (name: string) => {
      const definition = rescue(name);
      return { ...definition, States: { ...Object(definition['States']), Rescue: pass({ Result: 'rescued' }) } };
    };

    const byThreshold = fixture(withRescue('States.ExceedToleratedFailureThreshold'), { invokeFunction: failingOn(1) });
    const byChild = fixture(withRescue('Broken'), { invokeFunction: failingOn(1) });

    expect(await byThreshold.run([1])).toMatchObject({ output: 'rescued' });
    expect(await byChild.run([1])).toMatchObject({ status: 'FAILED' });
  });

  const tolerances: readonly [limits: JsonObject, failed: number, succeeds: boolean][] = [
    [{}, 1, false],
    [{ ToleratedFailureCount: 1 }, 1, true],
    [{ ToleratedFailureCount: 1 }, 2, false],
    [{ ToleratedFailurePercentage: 0 }, 1, false],
    [{ ToleratedFailurePercentage: 50 }, 2, true],
    [{ ToleratedFailurePercentage: 49 }, 2, false],
    [{ ToleratedFailurePercentage: 100 }, 4, true],
    [{ ToleratedFailureCountPath: '$.tolerated' }, 3, true],
    [{ ToleratedFailurePercentagePath: '$.tolerated' }, 1, false],
  ];
  test.each(tolerances)('%j with %d of 4 failed: succeeds %s', async (limits, failed, succeeds) => {
    const items = [1, 2, 3, 4];
    const { run } = fixture(each({ ItemsPath: '$.list', ...limits }), {
      invokeFunction: failingOn(...items.slice(0, failed)),
    });

    const ended = await run({ list: items, tolerated: 3 });

    expect(ended.status).toBe(succeeds ? 'SUCCEEDED' : 'FAILED');
  });

  test('start a new Map Run when the state is retried', async () => {
    let calls = 0;
    const retry = [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'] }];
    const { run, events } = fixture(each({ Retry: retry }), {
      invokeFunction: async (_name, payload) => {
        calls += 1;
        if (calls === 1) throw failure('Broken');
        return payload;
      },
    });

    expect(await run([1])).toMatchObject({ status: 'SUCCEEDED', output: [1] });
    expect(new Set(events.flatMap(({ mapRunArn }) => mapRunArn ?? [])).size).toBe(2);
  });
});

describe('a ResultWriter', () => {
  const writing = (config: JsonObject = {}): JsonObject => ({
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      Parameters: { Bucket: 'work', 'Prefix.$': "States.Format('runs/{}', $$.Execution.Name)" },
      ...config,
    },
  });

  function written(path: string): JsonValue {
    return JSON.parse(s3.objects.get(path) ?? 'null');
  }

  test('writes a manifest and the results by status, and gives their place', async () => {
    const { run } = fixture(each({ ...writing(), ToleratedFailureCount: 1 }), {
      s3: s3.client,
      invokeFunction: failingOn('b'),
    });

    const { output } = await run(['a', 'b']);

    const details = { Bucket: 'work', Key: expect.stringMatching(/^runs\/run\/[0-9a-f-]{36}\/manifest.json$/) };
    expect(output).toEqual({
      MapRunArn: expect.stringContaining(':mapRun:Sample/Each:'),
      ResultWriterDetails: details,
    });
    const folder = [...s3.objects.keys()].find((path) => path.endsWith('manifest.json'))?.replace('manifest.json', '');
    expect(written(`${folder}manifest.json`)).toMatchObject({
      DestinationBucket: 'work',
      ResultFiles: {
        FAILED: [{ Key: `${folder}FAILED_0.json`.slice('work/'.length), Size: expect.any(Number) }],
        PENDING: [],
        SUCCEEDED: [{ Key: `${folder}SUCCEEDED_0.json`.slice('work/'.length), Size: expect.any(Number) }],
      },
    });
    expect(written(`${folder}SUCCEEDED_0.json`)).toMatchObject([{ Status: 'SUCCEEDED', Input: '"a"', Output: '"a"' }]);
    expect(written(`${folder}FAILED_0.json`)).toMatchObject([{ Status: 'FAILED', Input: '"b"', Error: 'Broken' }]);
  });

  test('writes the errors also when the Map fails', async () => {
    const { run } = fixture(each(writing()), { s3: s3.client, invokeFunction: failingOn('b') });

    expect(await run(['b'])).toMatchObject({ error: 'States.ExceedToleratedFailureThreshold' });
    expect([...s3.objects.keys()].some((path) => path.endsWith('/FAILED_0.json'))).toBe(true);
  });

  test('writes an empty manifest for no items', async () => {
    const { run } = fixture(each(writing()), { s3: s3.client });

    expect(await run([])).toMatchObject({ status: 'SUCCEEDED' });
    expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/manifest\.json$/)]);
  });

  test('can write outputs alone, as JSON Lines', async () => {
    const config = { WriterConfig: { Transformation: 'FLATTEN', OutputType: 'JSONL' } };
    const { run } = fixture(each({ ...writing(config), MaxConcurrency: 1 }), { s3: s3.client });

    await run([[1, 2], 3]);

    const path = [...s3.objects.keys()].find((key) => key.endsWith('/SUCCEEDED_0.jsonl'));
    expect(s3.objects.get(path ?? '')).toBe('1\n2\n3\n');
  });

  test('fails with States.ResultWriterFailed when S3 is not there', async () => {
    await s3.close();
    const { run } = fixture(each(writing()), { s3: s3.client });

    expect(await run([1])).toMatchObject({ error: 'States.ResultWriterFailed' });
  });
});

test('outputs that do not fit into a state fail without a ResultWriter', async () => {
  const { run } = fixture(each({}, pass({ Result: 'x'.repeat(150_000) })));

  expect(await run([1, 2])).toMatchObject({ error: 'States.DataLimitExceeded' });
});

test('stopping the parent stops its children, not their functions', async () => {
  const finished: JsonValue[] = [];
  const gate = Promise.withResolvers<void>();
  const it: Fixture = fixture(each(), {
    invokeFunction: async (_name, payload) => {
      await gate.promise;
      finished.push(payload);
      return payload;
    },
  });
  const running = it.run([1, 2]);
  await new Promise((resolve) => setImmediate(resolve));

  it.runtime.stop(`${MACHINE_ARN.replace('stateMachine', 'execution')}:run`);
  const ended = await running;
  gate.resolve();
  await it.clock.settle();

  expect(ended.status).toBe('ABORTED');
  expect(it.events.filter(({ type }) => type === 'executionEnded').map(({ status }) => status)).toEqual([
    'ABORTED',
    'ABORTED',
    'ABORTED',
  ]);
  expect(finished).toEqual([1, 2]);
});
