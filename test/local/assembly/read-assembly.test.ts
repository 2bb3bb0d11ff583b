import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Assembly } from '../../../local/assembly/assembly-model.ts';
import { readAssembly } from '../../../local/assembly/read-assembly.ts';
import { parseDefinition } from '../../../local/workflow/parse-definition.ts';
import { type SampleAssembly, synthesizeSample } from './sample-app.ts';

let sample: SampleAssembly;
let assembly: Assembly;
beforeAll(() => {
  sample = synthesizeSample();
  assembly = readAssembly(sample.directory);
});
afterAll(() => sample.remove());

test('gives every resource its construct path and the same name each time', () => {
  const again = readAssembly(sample.directory);

  expect(assembly.stateMachines.map(({ constructPath }) => constructPath)).toEqual(['SampleEngine/Snapshot/Resource']);
  expect(again.stateMachines[0]?.arn).toBe(assembly.stateMachines[0]?.arn);
  expect(assembly.stateMachines[0]?.arn).toMatch(
    /^arn:aws:states:us-east-1:000000000000:stateMachine:SampleEngine-Snapshot\w+$/,
  );
});

test('gives buckets names that S3 would accept', () => {
  expect(assembly.buckets.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  ]);
});

test('resolves a function with its code, environment, and the versions and aliases that point at it', () => {
  const copy = assembly.functions.find(({ constructPath }) => constructPath.includes('/Copy/'));

  expect(copy).toMatchObject({
    handler: 'index.handler',
    timeoutSeconds: 900,
    memoryMegabytes: 512,
    isInVpc: false,
    environment: { BUCKET: assembly.buckets[0]?.name },
    code: { kind: 'asset' },
    qualifiedArns: [`${copy?.arn}:1`, `${copy?.arn}:live`],
  });
});

test('resolves the definition so that the runtime can run it, names of other stacks included', () => {
  const machine = assembly.stateMachines[0];
  const text = JSON.stringify(machine?.definition);

  expect(text).toContain(`"Bucket":"${assembly.buckets[0]?.name}"`);
  expect(text).toContain(':function:SampleEngine-Copy');
  expect(text).not.toContain('Fn::');
  expect(parseDefinition(machine?.definition, 'Snapshot').states.size).toBe(2);
});

test('resolves a schedule with its group, dead-letter queue and target', () => {
  expect(assembly.schedules).toEqual([
    expect.objectContaining({
      name: 'full',
      groupName: assembly.scheduleGroups[0]?.name,
      arn: `arn:aws:scheduler:us-east-1:000000000000:schedule/${assembly.scheduleGroups[0]?.name}/full`,
      expression: 'cron(0 2 ? * SUN *)',
      timeZone: 'Europe/Berlin',
      isEnabled: true,
      flexibleWindowMinutes: 15,
      target: {
        arn: assembly.stateMachines[0]?.arn,
        roleArn: assembly.stateMachines[0]?.roleArn,
        input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
        deadLetterArn: assembly.queues[0]?.arn,
        maximumEventAgeSeconds: 3600,
      },
    }),
  ]);
});

test('resolves outputs, topics and roles', () => {
  expect(assembly.outputs['SampleEngine.MachineArn']).toBe(assembly.stateMachines[0]?.arn);
  expect(assembly.topics[0]?.arn).toMatch(/^arn:aws:sns:us-east-1:000000000000:SampleEngine-Alerts/);
  expect(assembly.roles.map(({ arn }) => arn)).toContain(assembly.stateMachines[0]?.roleArn);
});

test('says what to do when there is no assembly', () => {
  expect(() => readAssembly(`${sample.directory}/nowhere`)).toThrow(/does not exist. Run "npm run synth" first/);
});
