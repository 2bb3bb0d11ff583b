import { S3Client } from '@aws-sdk/client-s3';
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListSchedulesCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
import { ApiError } from '../../../local/endpoints/api-error.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../../../local/endpoints/aws-endpoint.ts';
import { LocalScheduler } from '../../../local/endpoints/local-scheduler.ts';
import { deliverToTarget } from '../../../local/endpoints/schedule-target.ts';
import type { JsonValue } from '../../../local/workflow/json.ts';
import { createWorkflowRuntime, type WorkflowRuntime } from '../../../local/workflow/runtime.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:Sample';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:watch';
const definition = {
  StartAt: 'Later',
  States: { Later: { Type: 'Wait', Seconds: 60, Next: 'Done' }, Done: { Type: 'Succeed' } },
};

let clock: SimulatedClock;
let runtime: WorkflowRuntime;
let scheduler: LocalScheduler;
let endpoint: AwsEndpoint;
let invoked: JsonValue[];

beforeEach(async () => {
  invoked = [];
  clock = new SimulatedClock({ startEpochMillis: START });
  const invokeFunction = async (_name: string, payload: JsonValue) => {
    invoked.push(payload);
    return null;
  };
  runtime = createWorkflowRuntime({
    machines: [{ arn: MACHINE, name: 'Sample', roleArn: 'arn:role', definition }],
    invokeFunction,
    s3: new S3Client({ region: 'us-east-1' }),
    clock,
  });
  scheduler = new LocalScheduler({ clock, deliver: deliverToTarget({ runtime, invokeFunction, clock }) });
  endpoint = await startAwsEndpoint({ runtime, scheduler, secrets: new Map([['kinetica', '{"user":"admin"}']]) });
});
afterEach(async () => {
  scheduler.close();
  await endpoint.close();
});

function settings(caller = 'plan-snapshot') {
  return {
    endpoint: endpoint.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    customUserAgent: `rankvault/${caller}`,
    maxAttempts: 1,
  };
}

describe('Step Functions', () => {
  test('starts, describes and lists executions', async () => {
    const client = new SFNClient(settings());

    const started = await client.send(
      new StartExecutionCommand({ stateMachineArn: MACHINE, name: 'one', input: '{"a":1}' }),
    );
    const before = await client.send(new DescribeExecutionCommand({ executionArn: started.executionArn }));
    await clock.advance(60_000);
    const after = await client.send(new DescribeExecutionCommand({ executionArn: started.executionArn }));
    const { executions } = await client.send(
      new ListExecutionsCommand({ stateMachineArn: MACHINE, statusFilter: 'SUCCEEDED' }),
    );

    expect(started.startDate).toEqual(new Date(START));
    expect(before).toMatchObject({ status: 'RUNNING', name: 'one', input: '{"a":1}', stateMachineArn: MACHINE });
    expect(after).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}', stopDate: new Date(START + 60_000) });
    expect(executions).toMatchObject([{ name: 'one', status: 'SUCCEEDED' }]);
  });

  test('pages its listings', async () => {
    const client = new SFNClient(settings());
    for (const name of ['a', 'b', 'c']) runtime.start({ stateMachineArn: MACHINE, name });

    const first = await client.send(new ListExecutionsCommand({ stateMachineArn: MACHINE, maxResults: 2 }));
    const second = await client.send(
      new ListExecutionsCommand({ stateMachineArn: MACHINE, maxResults: 2, nextToken: first.nextToken }),
    );

    expect([first, second].map(({ executions }) => executions?.map(({ name }) => name))).toEqual([['c', 'b'], ['a']]);
    expect(second.nextToken).toBeUndefined();
  });

  test('stops an execution', async () => {
    const client = new SFNClient(settings());
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn: MACHINE }));

    const { stopDate } = await client.send(
      new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'because' }),
    );

    expect(stopDate).toEqual(new Date(START));
    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'because',
    });
  });

  test('lists state machines', async () => {
    const { stateMachines } = await new SFNClient(settings()).send(new ListStateMachinesCommand({}));

    expect(stateMachines).toMatchObject([{ stateMachineArn: MACHINE, name: 'Sample', type: 'STANDARD' }]);
  });

  test('throws the error classes of the SDK', async () => {
    const client = new SFNClient(settings());
    const start = (name: string, input: string) =>
      client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name, input }));
    await start('taken', '{}');

    await expect(start('taken', '{"other":1}')).rejects.toBeInstanceOf(ExecutionAlreadyExists);
    await expect(start('with space', '{}')).rejects.toMatchObject({ name: 'InvalidName' });
    await expect(start('broken', '{')).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
    await expect(client.send(new StartExecutionCommand({ stateMachineArn: `${MACHINE}x` }))).rejects.toBeInstanceOf(
      StateMachineDoesNotExist,
    );
    await expect(client.send(new DescribeExecutionCommand({ executionArn: 'none' }))).rejects.toBeInstanceOf(
      ExecutionDoesNotExist,
    );
  });
});

describe('Scheduler', () => {
  const schedule = {
    Name: 'release.prod',
    ScheduleExpression: 'rate(5 minutes)',
    StartDate: new Date(START + 600_000),
    FlexibleTimeWindow: { Mode: 'OFF' as const },
    Target: { Arn: MACHINE, RoleArn: 'arn:role', Input: '{"at":"<aws.scheduler.scheduled-time>"}' },
  };

  test('creates, shows, updates, lists and deletes a schedule', async () => {
    const client = new SchedulerClient(settings());

    const { ScheduleArn } = await client.send(new CreateScheduleCommand(schedule));
    const shown = await client.send(new GetScheduleCommand({ Name: 'release.prod' }));
    await client.send(new UpdateScheduleCommand({ ...schedule, State: 'DISABLED' }));
    const { Schedules } = await client.send(new ListSchedulesCommand({ NamePrefix: 'release', State: 'DISABLED' }));
    await client.send(new DeleteScheduleCommand({ Name: 'release.prod' }));

    expect(ScheduleArn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/default/release.prod');
    expect(shown).toMatchObject({ ...schedule, GroupName: 'default', State: 'ENABLED', CreationDate: new Date(START) });
    expect(Schedules).toMatchObject([{ Name: 'release.prod', State: 'DISABLED', Target: { Arn: MACHINE } }]);
    await expect(client.send(new GetScheduleCommand({ Name: 'release.prod' }))).rejects.toBeInstanceOf(
      ResourceNotFoundException,
    );
  });

  test('refuses a name that is taken, a bad name, a bad expression and an unknown group', async () => {
    const client = new SchedulerClient(settings());
    const create = (change: object) => client.send(new CreateScheduleCommand({ ...schedule, ...change }));
    await create({});

    await expect(create({})).rejects.toBeInstanceOf(ConflictException);
    await expect(create({ Name: 'a'.repeat(65) })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(create({ Name: 'b', ScheduleExpression: 'daily' })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(create({ Name: 'c', GroupName: 'none' })).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  test('starts the state machine of a schedule at its times', async () => {
    await new SchedulerClient(settings()).send(new CreateScheduleCommand(schedule));

    await clock.advance(16 * 60_000);

    expect(runtime.list().map(({ input }) => input)).toEqual([
      { at: '2026-01-02T03:19:05Z' },
      { at: '2026-01-02T03:14:05Z' },
    ]);
  });

  test('calls the function of a schedule', async () => {
    const target = { Arn: FUNCTION, RoleArn: 'arn:role', Input: '{"watch":true}' };
    await new SchedulerClient(settings()).send(new CreateScheduleCommand({ ...schedule, Target: target }));

    await clock.advance(600_000);

    expect(invoked).toEqual([{ watch: true }]);
  });
});

describe('Secrets Manager', () => {
  test('gives a secret by name and by ARN', async () => {
    const client = new SecretsManagerClient(settings());
    const byName = await client.send(new GetSecretValueCommand({ SecretId: 'kinetica' }));
    const byArn = await client.send(new GetSecretValueCommand({ SecretId: byName.ARN }));

    expect([byName.SecretString, byArn.SecretString]).toEqual(['{"user":"admin"}', '{"user":"admin"}']);
  });

  test('does not find what is not there', async () => {
    const client = new SecretsManagerClient(settings());

    await expect(client.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

test('answers an operation that it does not have with 501 and its name', async () => {
  await expect(
    new SFNClient(settings()).send(new DescribeStateMachineCommand({ stateMachineArn: MACHINE })),
  ).rejects.toMatchObject({
    message: expect.stringContaining('states:DescribeStateMachine'),
    $metadata: { httpStatusCode: 501 },
  });
  await expect(
    new SchedulerClient(settings()).send(new GetScheduleGroupCommand({ Name: 'default' })),
  ).rejects.toMatchObject({ $metadata: { httpStatusCode: 501 } });
});

test('counts requests by operation and caller', async () => {
  const plan = new SFNClient(settings('plan-snapshot'));
  await plan.send(new ListStateMachinesCommand({}));
  await plan.send(new ListStateMachinesCommand({}));
  await new SchedulerClient(settings('arm-release')).send(new ListSchedulesCommand({}));

  expect(endpoint.requests()).toEqual([
    { operation: 'states:ListStateMachines', caller: 'plan-snapshot', count: 2 },
    { operation: 'scheduler:ListSchedules', caller: 'arm-release', count: 1 },
  ]);
});

test('tells observers of each request before and after the work, and lets them refuse it', async () => {
  const client = new SFNClient(settings());
  const seen: string[] = [];
  const stop = endpoint.observe({
    before: (operation) => {
      seen.push(`before ${operation}`);
      if (runtime.list().length > 0) {
        throw new ApiError('AccessDeniedException', 'Not you.');
      }
    },
    after: (operation) => seen.push(`after ${operation}, with ${runtime.list().length} executions`),
  });
  const start = (name: string) => client.send(new StartExecutionCommand({ stateMachineArn: MACHINE, name }));
  await start('one');
  await expect(start('two')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  stop();
  await start('three');
  expect(seen).toEqual([
    'before states:StartExecution',
    'after states:StartExecution, with 1 executions',
    'before states:StartExecution',
  ]);
  expect(runtime.list().map(({ name }) => name)).toEqual(['three', 'one']);
});
