import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTinyS3, type TinyS3 } from './tiny-s3.ts';
import { FUNCTION_ARN, failure, fixture, flow, lambda } from './workflow-fixture.ts';

let s3: TinyS3;
beforeEach(async () => {
  s3 = await startTinyS3();
});
afterEach(() => s3.close());

const backup = flow({
  Plan: {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: FUNCTION_ARN, 'Payload.$': '$' },
    OutputPath: '$.Payload',
    Next: 'AnythingToCopy',
  },
  AnythingToCopy: {
    Type: 'Choice',
    Choices: [{ Variable: '$.batches', IsPresent: true, Next: 'CopyParts' }],
    Default: 'NothingToDo',
  },
  CopyParts: {
    Type: 'Map',
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      ...flow({ Copy: lambda() }),
    },
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Parameters: { Bucket: 'work', 'Key.$': '$.batches' },
    },
    MaxConcurrency: 2,
    Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Abort' }],
    ResultPath: '$.copied',
    End: true,
  },
  Abort: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
  NothingToDo: { Type: 'Succeed' },
});

test('runs a Task, a Choice and a Distributed Map over JSON Lines in S3', async () => {
  s3.objects.set('work/batches.jsonl', '{"n":1}\n{"n":2}\n{"n":3}\n');
  const { run } = fixture(backup, { s3: s3.client });

  const ended = await run({ batches: 'batches.jsonl' });

  expect(ended).toMatchObject({
    status: 'SUCCEEDED',
    output: { batches: 'batches.jsonl', copied: [{ n: 1 }, { n: 2 }, { n: 3 }] },
  });
});

test('takes the default when the Choice has no match', async () => {
  const { run } = fixture(backup, { s3: s3.client });

  expect(await run({})).toMatchObject({ status: 'SUCCEEDED', output: {} });
});

test('shows a failed child only as an exceeded threshold', async () => {
  s3.objects.set('work/batches.jsonl', '{"n":1}\n{"n":2}\n');
  const { run } = fixture(backup, {
    s3: s3.client,
    invokeFunction: async (_name, payload) => {
      if (JSON.stringify(payload) === '{"n":2}') throw failure('PartChanged');
      return payload;
    },
  });

  expect(await run({ batches: 'batches.jsonl' })).toMatchObject({
    status: 'FAILED',
    error: 'States.ExceedToleratedFailureThreshold',
    cause: 'The specified tolerated failure threshold was exceeded',
  });
});
