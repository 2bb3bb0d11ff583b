import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Assembly, FunctionModel } from '../../../local/assembly/assembly-model.ts';
import { createFunctionHost, type FunctionHostOptions } from '../../../local/assembly/function-host.ts';
import { readAssembly } from '../../../local/assembly/read-assembly.ts';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
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

test('lets overrides win over the environment of the template', async () => {
  const { invokeFunction } = host({ environment: () => ({ BUCKET: 'elsewhere' }) });

  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ bucket: 'elsewhere' });
});

test('tells the handler how much time is left on the clock, or as little as a test wants', async () => {
  const { invokeFunction } = host({ budgetMillis: (_target, invocation) => (invocation === 1 ? 5 : undefined) });

  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ remainingMillis: 5 });
  expect(await invokeFunction(copyFunction().arn, {})).toMatchObject({ remainingMillis: 900_000, memory: '512' });
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
