import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { createWorkflowRuntime } from '../../../local/workflow/runtime.ts';
import { FUNCTION_ARN, failure, fixture, flow, lambda, MACHINE_ARN, pass, START } from './workflow-fixture.ts';

const waiting = flow({ Later: { Type: 'Wait', Seconds: 60, Next: 'Done' }, Done: { Type: 'Succeed' } });
const EXECUTION = 'arn:aws:states:us-east-1:000000000000:execution:Sample';

describe('starting', () => {
  test('twice with the same name and input while it runs is once', () => {
    const { runtime } = fixture(waiting, { autoAdvance: false });

    const first = runtime.start({ stateMachineArn: MACHINE_ARN, name: 'a', input: { n: 1 } });
    const second = runtime.start({ stateMachineArn: MACHINE_ARN, name: 'a', input: { n: 1 } });

    expect(second).toEqual(first);
    expect(runtime.list()).toHaveLength(1);
  });

  test('with a used name and another input, or after the end, is refused', async () => {
    const { runtime, run } = fixture(waiting);
    const start = (input: JsonValue) => runtime.start({ stateMachineArn: MACHINE_ARN, name: 'a', input });
    start({ n: 1 });

    expect(() => start({ n: 2 })).toThrow(expect.objectContaining({ name: 'ExecutionAlreadyExists' }));
    await run({}, 'ended');
    expect(() => runtime.start({ stateMachineArn: MACHINE_ARN, name: 'ended' })).toThrow(/Already Exists/);
  });

  test.each(['', 'a'.repeat(81), 'with space', 'a/b', 'a:b', 'a*', 'a"b', 'a\u0007'])('refuses the name %j', (name) => {
    const { runtime } = fixture(waiting);

    expect(() => runtime.start({ stateMachineArn: MACHINE_ARN, name })).toThrow(
      expect.objectContaining({ name: 'InvalidName' }),
    );
  });

  test.each(['a'.repeat(80), 'prod_system.full-1+2=3', '\u00fcml\u00e4ut'])('takes the name %j', (name) => {
    const { runtime } = fixture(waiting);

    expect(runtime.start({ stateMachineArn: MACHINE_ARN, name }).executionArn).toBe(`${EXECUTION}:${name}`);
  });

  test('refuses an unknown machine and an input that is too large', () => {
    const { runtime } = fixture(waiting);
    const input = 'x'.repeat(262_143);

    expect(() => runtime.start({ stateMachineArn: 'arn:none' })).toThrow(/State Machine Does Not Exist: 'arn:none'/);
    expect(() => runtime.start({ stateMachineArn: MACHINE_ARN, input })).toThrow(/States.DataLimitExceeded/);
    expect(runtime.start({ stateMachineArn: MACHINE_ARN, input: input.slice(0, 262_142) }).status).toBe('RUNNING');
  });
});

test('a stopped execution is ABORTED; its function runs on and its result is ignored', async () => {
  const gate = Promise.withResolvers<void>();
  let isFinished = false;
  const { runtime, events, clock } = fixture(flow({ Work: lambda({ Next: 'After' }), After: pass({}) }), {
    invokeFunction: async () => {
      await gate.promise;
      isFinished = true;
      return null;
    },
  });
  const { executionArn } = runtime.start({ stateMachineArn: MACHINE_ARN });
  await new Promise((resolve) => setImmediate(resolve));

  runtime.stop(executionArn, { error: 'Operator', cause: 'enough' });
  const ended = await runtime.result(executionArn);
  gate.resolve();
  await clock.settle();

  expect(ended).toMatchObject({ status: 'ABORTED', error: 'Operator', cause: 'enough' });
  expect(isFinished).toBe(true);
  expect(events.some(({ state }) => state === 'After')).toBe(false);
  expect(runtime.describe(executionArn).status).toBe('ABORTED');
});

describe('Task resources', () => {
  test('lambda:invoke wraps the function result as AWS does', async () => {
    const task = {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { 'FunctionName.$': '$.fn', Payload: { 'n.$': '$.n' } },
      End: true,
    };
    const called: string[] = [];
    const { run } = fixture(flow({ Work: task }), {
      invokeFunction: async (name, payload) => {
        called.push(name);
        return payload;
      },
    });

    expect(await run({ fn: `${FUNCTION_ARN}:live`, n: 1 })).toMatchObject({
      output: { StatusCode: 200, Payload: { n: 1 } },
    });
    expect(called).toEqual([`${FUNCTION_ARN}:live`]);
  });

  test('startExecution starts and does not wait', async () => {
    const starting = (name: string) => ({
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution',
      Parameters: { StateMachineArn: MACHINE_ARN, Name: name, Input: { 'nested.$': '$.nested', go: false } },
      End: true,
    });
    const definition = flow({
      Choose: { Type: 'Choice', Choices: [{ Variable: '$.go', BooleanEquals: true, Next: 'Start' }], Default: 'Later' },
      Start: starting('child'),
      Later: { Type: 'Wait', Seconds: 60, End: true },
    });
    const { run, runtime } = fixture(definition);

    const ended = await run({ go: true, nested: [1] });

    expect(ended).toMatchObject({
      output: { ExecutionArn: `${EXECUTION}:child`, StartDate: START },
      stoppedAtEpochMillis: START,
    });
    expect(runtime.describe(`${EXECUTION}:child`)).toMatchObject({
      status: 'RUNNING',
      input: { nested: [1], go: false },
    });
    expect(await run({ go: true, nested: [2] }, 'again')).toMatchObject({
      error: 'StepFunctions.ExecutionAlreadyExistsException',
    });
  });

  const publish = (rest: JsonObject) =>
    flow({
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sns:publish',
        Parameters: { 'Message.$': '$.text' },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }],
        End: true,
        ...rest,
      },
      Caught: pass({}),
    });

  test('other services are plugged in', async () => {
    const { run } = fixture(publish({}), {
      tasks: { 'sns:publish': async ({ parameters, state }) => ({ parameters, state }) },
    });

    expect((await run({ text: 'hello' })).output).toEqual({ parameters: { Message: 'hello' }, state: 'Tell' });
  });

  test('errors of a service can be caught by their name', async () => {
    const { run } = fixture(publish({}), { tasks: { 'sns:publish': () => Promise.reject(failure('Sns.NotFound')) } });

    expect(await run({ text: 'hello' })).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'Sns.NotFound' } });
  });

  test('a service that is not there fails by name and nothing catches it', async () => {
    const { run } = fixture(publish({}));

    expect(await run({ text: 'hello' })).toMatchObject({
      status: 'FAILED',
      error: 'Local.Unsupported',
      cause: expect.stringContaining('sns:publish'),
    });
  });
});

describe('a Fail state', () => {
  test('ends with its own error and cause', async () => {
    const { run } = fixture(flow({ Stop: { Type: 'Fail', Error: 'Enough', Cause: 'because' } }));

    expect(await run()).toMatchObject({ status: 'FAILED', error: 'Enough', cause: 'because' });
  });

  test('takes them from paths and intrinsic functions', async () => {
    const stop = { Type: 'Fail', ErrorPath: '$.e.Error', CausePath: "States.Format('{}: look', $.e.Cause)" };
    const { run } = fixture(flow({ Stop: stop }));

    expect(await run({ e: { Error: 'A', Cause: 'b' } })).toMatchObject({ error: 'A', cause: 'b: look' });
  });

  test('may have neither', async () => {
    const ended = await fixture(flow({ Stop: { Type: 'Fail' } })).run();

    expect(ended).toMatchObject({ status: 'FAILED' });
    expect(ended).not.toHaveProperty('error');
  });
});

describe('boundaries', () => {
  const big = 'x'.repeat(262_200);

  test.each([
    ['the result of a function', flow({ Work: lambda() }), {}],
    [
      'the output of a state',
      flow({ Work: pass({ Parameters: { 'a.$': '$.t', 'b.$': '$.t' } }) }),
      { t: 'x'.repeat(140_000) },
    ],
    [
      'the input of a state',
      flow({ Work: lambda({ End: true, Parameters: { 'a.$': '$.t', 'b.$': '$.t' } }) }),
      { t: 'x'.repeat(140_000) },
    ],
  ])('%s may not exceed 262,144 bytes', async (_what, definition, input) => {
    const { run } = fixture(definition, { invokeFunction: async () => big });

    expect(await run(input)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('bytes are counted as UTF-8', async () => {
    const { run } = fixture(flow({ Work: lambda() }), { invokeFunction: async () => '\u20ac'.repeat(90_000) });

    expect(await run()).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('a function cannot change the state through what it was given', async () => {
    const { run } = fixture(flow({ Work: lambda({ End: true, ResultPath: null }) }), {
      invokeFunction: async (_name, payload) => {
        Object.assign(Object(payload), { changed: true });
        return null;
      },
    });

    expect((await run({ a: 1 })).output).toEqual({ a: 1 });
  });
});

describe('history and money', () => {
  test('counts events and transitions as AWS does', async () => {
    const definition = flow({
      Prepare: { Type: 'Pass', Next: 'Work' },
      Work: lambda({ Retry: [{ ErrorEquals: ['Flaky'] }], Next: 'Done' }),
      Done: { Type: 'Succeed' },
    });
    let calls = 0;
    const { run } = fixture(definition, {
      invokeFunction: async () => {
        calls += 1;
        if (calls === 1) throw failure('Flaky');
        return null;
      },
    });

    // Started and ended 2, Pass 2, Task 2 + two attempts of 3, Succeed 2.
    expect(await run()).toMatchObject({ historyEvents: 14, stateTransitions: 4 });
  });

  const endless = flow({ Again: { Type: 'Pass', Next: 'More' }, More: { Type: 'Pass', Next: 'Again' } });

  test('an execution ends at 25,000 events', async () => {
    expect(await fixture(endless).run()).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining('history events (25000)'),
    });
  });

  test('an express execution does not', async () => {
    const loop = flow({
      Next: { Type: 'Pass', Parameters: { 'n.$': 'States.MathAdd($.n, -1)' }, Next: 'Enough' },
      Enough: { Type: 'Choice', Choices: [{ Variable: '$.n', NumericEquals: 0, Next: 'Done' }], Default: 'Next' },
      Done: { Type: 'Succeed' },
    });
    const machine = {
      arn: MACHINE_ARN,
      name: 'Sample',
      roleArn: 'arn:role',
      definition: loop,
      type: 'EXPRESS' as const,
    };
    const { run } = fixture(loop, { machines: [machine] });

    const ended = await run({ n: 6300 });

    expect(ended).toMatchObject({ status: 'SUCCEEDED' });
    expect(ended.historyEvents).toBeGreaterThan(25_000);
  });
});

test('tells whoever watches what happens, in order and with the time', async () => {
  const definition = flow({
    Work: lambda({
      Retry: [{ ErrorEquals: ['Flaky'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['Flaky'], Next: 'Done' }],
      End: true,
    }),
    Done: { Type: 'Succeed' },
  });
  const { run, events } = fixture(definition, { invokeFunction: () => Promise.reject(failure('Flaky')) });

  await run();

  expect(events.map(({ type, state, atEpochMillis }) => `${(atEpochMillis - START) / 1000} ${type} ${state}`)).toEqual([
    '0 executionStarted ',
    '0 entered Work',
    '0 failed Work',
    '0 retried Work',
    '1 failed Work',
    '1 caught Work',
    '1 entered Done',
    '1 exited Done',
    '1 executionEnded ',
  ]);
  expect(events[2]).toMatchObject({ executionArn: `${EXECUTION}:run`, machine: 'Sample', error: 'Flaky' });
});

test('whatever stands around an invocation may repeat it, with the same payload', async () => {
  const seen: JsonValue[] = [];
  const { run } = fixture(flow({ Work: lambda() }), {
    invokeFunction: async (_name, payload) => {
      seen.push(structuredClone(payload));
      Object.assign(Object(payload), { n: 'changed' });
      return seen.length;
    },
    aroundInvoke: async (call, proceed) => {
      expect(call).toMatchObject({ functionNameOrArn: FUNCTION_ARN, state: 'Work', executionArn: `${EXECUTION}:run` });
      await proceed();
      return await proceed();
    },
  });

  expect((await run({ n: 1 })).output).toBe(2);
  expect(seen).toEqual([{ n: 1 }, { n: 1 }]);
});

describe('a definition is refused when it', () => {
  const machine = (definition: unknown) => () =>
    createWorkflowRuntime({
      ...fixtureOptions(),
      machines: [{ arn: MACHINE_ARN, name: 'Sample', roleArn: 'arn:role', definition }],
    });

  test.each([
    [
      'has a field that is not known here',
      flow({ A: { ...lambda(), HeartbeatSeconds: 5 } }),
      /Sample, state "A".*\n.*HeartbeatSeconds/s,
    ],
    ['leads to a state that is not there', flow({ A: pass({ Next: 'B' }) }), /"A" leads to "B"/],
    ['has a kind of state that does not exist', flow({ A: { Type: 'Magic' } }), /state "A"/],
    ['starts nowhere', { StartAt: 'B', States: { A: pass({}) } }, /StartAt leads to "B"/],
    [
      'has an ItemReader without being distributed',
      flow({
        A: {
          Type: 'Map',
          ItemProcessor: flow({ I: pass({}) }),
          ItemReader: { Resource: 'r', Parameters: {} },
          End: true,
        },
      }),
      /only a DISTRIBUTED Map/,
    ],
  ])('%s', (_what, definition, message) => {
    expect(machine(definition)).toThrow(message);
  });

  test('and accepted as JSON text', () => {
    expect(machine(JSON.stringify(waiting))).not.toThrow();
  });
});

function fixtureOptions() {
  const { clock } = fixture(waiting);
  return { clock, invokeFunction: async () => null, s3: new S3Client({ region: 'us-east-1' }) };
}
