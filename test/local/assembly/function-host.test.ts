import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Assembly, FunctionModel } from '../../../local/assembly/assembly-model.ts';
import { createFunctionHost, type FunctionHostOptions } from '../../../local/assembly/function-host.ts';
import { readAssembly } from '../../../local/assembly/read-assembly.ts';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
import { createWorkflowRuntime } from '../../../local/workflow/runtime.ts';
import { startTinyS3 } from '../workflow/tiny-s3.ts';
import { type SampleAssembly, synthesizeSample } from './sample-app.ts';

let sample: SampleAssembly;
let assembly: Assembly;
beforeAll(() => {
  sample = synthesizeSample();
  assembly = readAssembly(sample.directory);
});
afterAll(() => sample.remove());

const clock = new SimulatedClock({ startEpochMillis: 1000 });

function host(options: Partial<FunctionHostOptions> = {}) {
  return createFunctionHost({ assembly, clock, ...options });
}

function copyFunction(): FunctionModel {
  const found = assembly.functions.find(({ code }) => code.kind === 'asset');
  if (found === undefined) throw new Error('The sample has no bundled function.');
  return found;
}

test('imports the bundle under its own environment and gives the process its own back', async () => {
  const before = process.env['BUCKET'];

  const result = await host().invokeFunction(copyFunction().arn, {});

  expect(result).toMatchObject({ bucket: assembly.buckets[0]?.name, calls: 1 });
  expect(process.env['BUCKET']).toBe(before);
});

test('finds the function by name, version and alias, and imports it once', async () => {
  const { invokeFunction } = host();
  const { name, arn } = copyFunction();

  const calls = [];
  for (const target of [name, `${name}:live`, `${arn}:1`, `${arn}:live`]) calls.push(await invokeFunction(target, {}));

  expect(calls).toEqual([1, 2, 3, 4].map((count) => expect.objectContaining({ calls: count })));
  expect(calls[3]).toMatchObject({ arn: `${arn}:live`, functionName: name });
});

test('gives every host its own instance of the module', async () => {
  await host().invokeFunction(copyFunction().arn, {});

  expect(await host().invokeFunction(copyFunction().arn, {})).toMatchObject({ calls: 1 });
});

test('keeps to its own environment while it runs, beside another that runs at the same time', async () => {
  const hosts = ['one', 'two'].map((name) => host({ environment: () => ({ BUCKET: name }) }));

  const results = await Promise.all(hosts.map(({ invokeFunction }) => invokeFunction(copyFunction().arn, {})));

  expect(results).toMatchObject([
    { bucket: 'one', laterBucket: 'one' },
    { bucket: 'two', laterBucket: 'two' },
  ]);
});

test('hides the AWS settings of the process from the handler', async () => {
  process.env['AWS_PROFILE'] = 'mine';

  const result = await host().invokeFunction(copyFunction().arn, {});
  delete process.env['AWS_PROFILE'];

  expect(result).toMatchObject({ names: expect.not.arrayContaining(['AWS_PROFILE']) });
  expect(result).toMatchObject({ names: expect.arrayContaining(['BUCKET', 'AWS_LAMBDA_FUNCTION_NAME']) });
});

test('lets overrides win over the environment of the template', async () => {
  const { invokeFunction } = host({ environment: () => ({ BUCKET: 'elsewhere' }) });

  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ bucket: 'elsewhere' });
});

test('tells the handler how much time is left on the clock, or as little as a test wants', async () => {
  const { invokeFunction } = host({ budgetMillis: (_target, invocation) => (invocation === 1 ? 5 : undefined) });

  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ remainingMillis: 5 });
  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ remainingMillis: 900_000, memory: '512' });
});

test('shares its clock with the handler until it is closed', async () => {
  const it = host();

  expect(await it.invokeFunction(copyFunction().arn, {})).toMatchObject({ nowEpochMillis: clock.nowEpochMillis() });
  it.close();
  expect(await it.invokeFunction(copyFunction().arn, {})).not.toHaveProperty('nowEpochMillis');
});

test('passes JSON both ways and nothing else', async () => {
  const result = await host().invokeFunction(copyFunction().arn, { a: 1 });

  expect(result).toMatchObject({ event: { a: 1 }, date: '1970-01-01T00:00:00.000Z' });
  expect(result).not.toHaveProperty('nothing');
});

test('rejects with the error that the handler threw', async () => {
  await expect(host().invokeFunction(copyFunction().arn, { fail: true })).rejects.toMatchObject({
    name: 'PartMissing',
  });
});

test('names a function that is not in the assembly', async () => {
  await expect(host().invokeFunction('nobody', {})).rejects.toThrow(/Function not found: nobody/);
});

test('says that inline code cannot be run', async () => {
  const inline = assembly.functions.find(({ code }) => code.kind === 'inline');

  await expect(host().invokeFunction(inline?.name ?? '', {})).rejects.toThrow(/has inline code/);
});

test('the machine and the bundle that CDK wrote run together, Distributed Map and all', async () => {
  const s3 = await startTinyS3();
  const clock = new SimulatedClock({ startEpochMillis: 0, autoAdvance: true });
  const { invokeFunction, invocations } = createFunctionHost({ assembly, clock });
  const runtime = createWorkflowRuntime({ machines: assembly.stateMachines, invokeFunction, s3: s3.client, clock });
  const bucket = assembly.buckets[0]?.name ?? '';
  s3.objects.set(`${bucket}/plan/batches.jsonl`, '{"batch":1}\n{"batch":2}\n');

  const { executionArn } = runtime.start({
    stateMachineArn: assembly.stateMachines[0]?.arn ?? '',
    input: { batches: 'plan/batches.jsonl' },
  });
  const ended = await runtime.result(executionArn);
  await s3.close();

  expect(ended).toMatchObject({
    status: 'SUCCEEDED',
    output: {
      plan: { StatusCode: 200, Payload: { bucket } },
      copied: { ResultWriterDetails: { Bucket: bucket, Key: expect.stringMatching(/^runs\/.*manifest\.json$/) } },
    },
  });
  expect([...invocations().values()]).toEqual([3]);
});
