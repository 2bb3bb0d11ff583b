import { beforeAll, describe, expect, test } from 'vitest';
import { type NamedState, pathsFrom } from './definition.ts';
import { longestWork, type Machine, machineOf } from './machine.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

let synthesized: Synthesized;
let machine: Machine;
beforeAll(() => {
  synthesized = synthesize();
  machine = machineOf(synthesized.workflows, 'Verify');
});

const steps = () => machine.body('Verify the backup');
const ways = () => pathsFrom(steps(), steps().StartAt);
const all = (name: string): NamedState['state'] => machine.state(name).state;

describe('Verify', () => {
  test('takes its steps in the order of the recipe', () => {
    expect(longestWork(steps())).toEqual([
      'Plan the verification',
      'Look at the ranks',
      'Plan the reads',
      'Read the parts',
      'Conclude the verification',
    ]);
  });

  test('drills by two restores', () => {
    expect(all('Is it a drill?').Choices).toEqual([
      { Variable: '$.run.level', StringEquals: 'restored', Next: 'Restore into the scratch cluster' },
    ]);
    expect(ways().filter((way) => way.includes('Restore into the scratch cluster'))).toEqual([
      [
        'Plan the verification',
        'What was planned?',
        'Is it a drill?',
        'Restore into the scratch cluster',
        'Compare by restoring again',
        'Conclude the verification',
      ],
    ]);
  });

  test.each([
    ['Restore into the scratch cluster', 'drill', '$.restored', { placeAll: true }],
    ['Compare by restoring again', 'drill-again', '$.compared', {}],
  ])('%s: waits for an execution of Restore that is named by the run', (name, execution, ResultPath, options) => {
    expect(all(name)['Resource']).toMatch(/:states:startExecution\.sync:2$/);
    expect(all(name)['Parameters']).toEqual({
      StateMachineArn: expect.stringMatching(/^<Restore/),
      'Name.$': `States.Format('${execution}-{}', $.run.nonce)`,
      Input: {
        'backup.$': '$.run.backup',
        'snapshot.$': '$.run.snapshot',
        'cluster.$': '$.run.cluster',
        options: { policy: 'replace', targetIsStopped: true, ...options },
      },
    });
    expect(all(name)['ResultPath']).toBe(ResultPath);
  });

  test.each(['Restore into the scratch cluster', 'Compare by restoring again'])(
    '%s: a restore that fails is a finding, and is never tried again by itself',
    (name) => {
      expect(all(name).Catch).toEqual([
        { ErrorEquals: ['States.ALL'], ResultPath: '$.restoreFailure', Next: 'Conclude the verification' },
      ]);
      const retried = (all(name).Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(retried.length).toBeGreaterThan(0);
      expect(retried.filter((error) => !error.startsWith('StepFunctions.'))).toEqual([]);
      expect(retried.filter((error) => error.includes('AlreadyExists'))).toEqual([]);
    },
  );

  test('gives the whole state to its conclusion, which then is the answer', () => {
    expect(all('Conclude the verification')).not.toHaveProperty('Parameters');
    expect(all('Conclude the verification')).not.toHaveProperty('ResultPath');
    expect(all('Conclude the verification').End).toBe(true);
  });

  test('fails with what was found after it was recorded, and only then', () => {
    expect(all('Verify the backup')).toMatchObject({
      OutputPath: '$[0]',
      Next: 'Was anything found that a restore suffers from?',
    });
    expect(all('Was anything found that a restore suffers from?')).toMatchObject({
      Choices: [{ Variable: '$.failure', IsPresent: true, Next: 'Fail with what was found' }],
      Default: 'The verification has passed',
    });
    expect(all('Fail with what was found')).toMatchObject({
      ErrorPath: '$.failure.error',
      CausePath: '$.failure.cause',
    });
    expect(all('The verification has passed').Type).toBe('Succeed');
  });

  test('asks again while another verification is busy, and ends with what the plan says when there is nothing to verify', () => {
    expect(all('What was planned?').Choices).toMatchObject([
      { Variable: '$.outcome', StringEquals: 'wait', Next: 'Wait for the other run' },
      { Variable: '$.outcome', StringEquals: 'finished', Next: 'Finish with the plan alone' },
    ]);
    expect(all('Finish with the plan alone')).toMatchObject({ OutputPath: '$.result', End: true });
  });

  test('gives back locks and holds when it fails itself', () => {
    expect(all('Verify the backup').Catch).toEqual([
      { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Abort the verification' },
    ]);
    expect(all('Abort the verification')).toMatchObject({
      Parameters: { machine: 'Verify', 'failure.$': '$.failure' },
      Next: 'Fail with the first error',
    });
  });
});
