// cspell:words redrive redrivable
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { parseJson } from '../../../local/workflow/json.ts';
import { failure, fixture, flow, lambda, MACHINE_ARN, pass, START } from './workflow-fixture.ts';

const CHILD_ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:Child';
const CHILD_RUN = 'arn:aws:states:us-east-1:000000000000:execution:Child:child';
const PARENT_RUN = 'arn:aws:states:us-east-1:000000000000:execution:Sample:run';
const roleArn = 'arn:aws:iam::000000000000:role/sample';

function nesting(rest: JsonObject = { End: true }): JsonObject {
  const Parameters = { StateMachineArn: CHILD_ARN, Name: 'child', 'Input.$': '$' };
  return { Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync:2', Parameters, ...rest };
}

/** `Sample` waits for `Child`. */
function nested(child: JsonObject, parent: JsonObject = flow({ Nest: nesting() }), options = {}) {
  return fixture(parent, {
    machines: [
      { arn: MACHINE_ARN, name: 'Sample', roleArn, definition: parent },
      { arn: CHILD_ARN, name: 'Child', roleArn, definition: child },
    ],
    ...options,
  });
}

const slowChild = flow({ Wait: { Type: 'Wait', Seconds: 60, Next: 'Answer' }, Answer: pass({ Result: { ok: true } }) });
const failing = (rest: JsonObject): JsonObject =>
  flow({ Wait: { Type: 'Wait', Seconds: 60, Next: 'Boom' }, Boom: { Type: 'Fail', ...rest } });

/** As DescribeExecution has it, apart from how the child ended; keys in alphabetical order. */
const beginning = { ExecutionArn: CHILD_RUN, Input: '{"n":1}', InputDetails: { Included: true }, Name: 'child' };
const ending = (Status: string) => ({
  RedriveCount: 0,
  RedriveStatus: 'REDRIVABLE',
  StartDate: START,
  StateMachineArn: CHILD_ARN,
  Status,
  StopDate: START + 60_000,
});

describe('startExecution.sync:2', () => {
  test('waits for the child and gives its description, with payloads as JSON and dates in milliseconds', async () => {
    const { run } = nested(slowChild);

    const ended = await run({ n: 1 });

    expect(ended).toMatchObject({ status: 'SUCCEEDED', stoppedAtEpochMillis: START + 60_000 });
    expect(JSON.stringify(ended.output)).toBe(
      JSON.stringify({
        ExecutionArn: CHILD_RUN,
        Input: { n: 1 },
        InputDetails: { Included: true },
        Name: 'child',
        Output: { ok: true },
        OutputDetails: { Included: true },
        RedriveCount: 0,
        RedriveStatus: 'NOT_REDRIVABLE',
        RedriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
        StartDate: START,
        StateMachineArn: CHILD_ARN,
        Status: 'SUCCEEDED',
        StopDate: START + 60_000,
      }),
    );
  });

  test.each<[JsonObject, JsonObject]>([
    [
      { Error: 'Boom', Cause: 'custom' },
      { Cause: 'custom', Error: 'Boom', ...beginning, ...ending('FAILED') },
    ],
    [{ Error: 'Boom' }, { Error: 'Boom', ...beginning, ...ending('FAILED') }],
  ])('fails as States.TaskFailed with the description of a child that fails with %j', async (child, cause) => {
    const { run } = nested(failing(child));

    const ended = await run({ n: 1 });

    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed', cause: JSON.stringify(cause) });
  });

  test('fails the same way for a child that runs out of its time, which has no error', async () => {
    const { run } = nested({ ...flow({ Wait: { Type: 'Wait', Seconds: 600, End: true } }), TimeoutSeconds: 60 });

    const { error, cause } = await run({ n: 1 });

    expect(error).toBe('States.TaskFailed');
    expect(cause).toBe(JSON.stringify({ ...beginning, ...ending('TIMED_OUT') }));
  });

  test('is caught by States.TaskFailed and not by the error of the child', async () => {
    const Catch = [
      { ErrorEquals: ['Boom'], Next: 'ByName' },
      { ErrorEquals: ['States.TaskFailed'], ResultPath: '$.failure', Next: 'ByTask' },
    ];
    const parent = flow({ Nest: nesting({ Catch, Next: 'ByName' }), ByName: pass({}), ByTask: pass({}) });
    const { run, events } = nested(failing({ Error: 'Boom' }), parent);

    const { status, output } = await run({ n: 1 });

    expect(status).toBe('SUCCEEDED');
    expect(events.some(({ state, type }) => state === 'ByTask' && type === 'entered')).toBe(true);
    expect(output).toMatchObject({ n: 1, failure: { Error: 'States.TaskFailed' } });
  });

  test('fails by the name of the API when the child cannot be started', async () => {
    const parent = flow({ First: nesting({ Next: 'Second', ResultPath: null }), Second: nesting() });
    const { run } = nested(slowChild, parent);

    expect(await run({ n: 1 })).toMatchObject({ error: 'StepFunctions.ExecutionAlreadyExistsException' });
  });

  test('stops the child when the task runs out of its time; a retry finds its name used', async () => {
    const Retry = [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 2 }];
    const { run, runtime } = nested(slowChild, flow({ Nest: nesting({ TimeoutSeconds: 10, Retry, End: true }) }));

    const ended = await run({ n: 1 });

    expect(ended).toMatchObject({ error: 'StepFunctions.ExecutionAlreadyExistsException' });
    expect(runtime.describe(CHILD_RUN)).toMatchObject({ status: 'ABORTED' });
  });

  test('stops the child when its execution is stopped', async () => {
    const { runtime, clock } = nested(slowChild, undefined, { autoAdvance: false });
    const { executionArn } = runtime.start({ stateMachineArn: MACHINE_ARN, name: 'run', input: { n: 1 } });
    await clock.settle();

    expect(runtime.describe(CHILD_RUN).status).toBe('RUNNING');
    runtime.stop(executionArn);

    expect(await runtime.result(CHILD_RUN)).toMatchObject({
      status: 'ABORTED',
      cause: `The Task state in AWS Step Functions execution [${PARENT_RUN}] which was managing this resource was aborted`,
    });
  });

  test('stops the child when a branch beside it fails', async () => {
    const boom = flow({ Wait: { Type: 'Wait', Seconds: 1, Next: 'Boom' }, Boom: { Type: 'Fail', Error: 'Boom' } });
    const parallel = { Type: 'Parallel', Branches: [flow({ Nest: nesting() }), boom], End: true };
    const { run, runtime } = nested(slowChild, flow({ Both: parallel }));

    expect(await run({ n: 1 })).toMatchObject({ error: 'Boom', stoppedAtEpochMillis: START + 1_000 });
    expect(await runtime.result(CHILD_RUN)).toMatchObject({ status: 'ABORTED' });
  });

  test('tells of a child that somebody stopped', async () => {
    const { runtime, clock, run } = nested(slowChild, undefined, { autoAdvance: false });
    const ended = run({ n: 1 });
    await clock.settle();

    runtime.stop(CHILD_RUN, { error: 'Operator', cause: 'enough' });

    const { error, cause } = await ended;
    expect(error).toBe('States.TaskFailed');
    expect(parseJson(cause ?? '')).toMatchObject({ Error: 'Operator', Cause: 'enough', Status: 'ABORTED' });
  });

  test('refuses a result that is more than a state may carry', async () => {
    const Result = 'x'.repeat(200_000);
    const { run } = nested(flow({ Answer: pass({ Result }) }));
    const input: JsonValue = { text: 'y'.repeat(100_000) };

    expect(await run(input)).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  test('runs the functions of the child', async () => {
    const { run } = nested(flow({ Work: lambda() }), undefined, {
      invokeFunction: async () => {
        throw failure('Broken', 'no bytes');
      },
    });

    const { cause } = await run({ n: 1 });

    const told = parseJson(cause ?? '');
    expect(told).toMatchObject({ Error: 'Broken', Cause: expect.stringContaining('no bytes') });
  });
});
