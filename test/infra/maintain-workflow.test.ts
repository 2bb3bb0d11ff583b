import { beforeAll, describe, expect, test } from 'vitest';
import { type NamedState, pathsFrom } from './definition.ts';
import { longestWork, type Machine, machineOf } from './machine.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

let synthesized: Synthesized;
let machine: Machine;
beforeAll(() => {
  synthesized = synthesize();
  machine = machineOf(synthesized.workflows, 'Maintain');
});

const steps = () => machine.body('Maintain the backup');
const ways = () => pathsFrom(steps(), steps().StartAt);
const all = (name: string): NamedState['state'] => machine.state(name).state;

describe('Maintain', () => {
  test('takes its steps in the order of the recipe', () => {
    expect(longestWork(steps())).toEqual([
      'Plan the maintenance',
      'List the parts to be merged',
      'Plan the merge',
      'Copy the merged parts',
      'Seal the merged ranks',
      'Verify the merged ranks',
      'Commit the merged snapshot',
      'Hide the merged snapshots',
      'Survey what can be deleted',
      'Plan the deletions',
      'Delete the versions',
      'Finish the maintenance',
    ]);
  });

  test('asks again while another run is busy, and ends with what the plan says when nothing is left to do', () => {
    expect(all('What was planned?').Choices).toMatchObject([
      { Variable: '$.outcome', StringEquals: 'wait', Next: 'Wait for the other run' },
      { Variable: '$.outcome', StringEquals: 'finished', Next: 'Finish with the plan alone' },
    ]);
    expect(all('Wait for the other run')).toMatchObject({ SecondsPath: '$.waitSeconds', Next: 'Plan the maintenance' });
    expect(all('Finish with the plan alone')).toMatchObject({ OutputPath: '$.result', End: true });
  });

  test('makes visible only what was verified, and hides the sources of a merge only then', () => {
    const merging = ways().filter((way) => way.includes('Hide the merged snapshots'));
    expect(merging.length).toBeGreaterThan(0);
    for (const way of merging) {
      const order = ['Seal the merged ranks', 'Verify the merged ranks', 'Commit the merged snapshot'];
      const at = [...order, 'Hide the merged snapshots'].map((name) => way.indexOf(name));
      expect(at).toEqual(at.toSorted((left, right) => left - right));
      expect(at).not.toContain(-1);
    }
  });

  test('merges only where the plan says so and it is not a dry run', () => {
    expect(all('Is a full to be made by copies?').Choices).toEqual([
      {
        And: [
          { Variable: '$.run.merges', BooleanEquals: true },
          { Variable: '$.run.dryRun', BooleanEquals: false },
        ],
        Next: 'List the parts to be merged',
      },
    ]);
    expect(all('Is a full to be made by copies?').Default).toBe('Is there anything to survey?');
  });

  test('waits for the backup’s lock to commit and to hide, as long as it is told', () => {
    expect(all('Is the merged snapshot committed?').Choices).toEqual([
      { Variable: '$.committed.outcome', StringEquals: 'wait', Next: 'Wait until it can be committed' },
    ]);
    expect(all('Wait until it can be committed')).toMatchObject({
      SecondsPath: '$.committed.waitSeconds',
      Next: 'Commit the merged snapshot',
    });
    expect(all('Are the merged snapshots hidden?').Choices).toEqual([
      { Variable: '$.hidden.outcome', StringEquals: 'wait', Next: 'Wait until they can be hidden' },
    ]);
    expect(all('Wait until they can be hidden')).toMatchObject({
      SecondsPath: '$.hidden.waitSeconds',
      Next: 'Hide the merged snapshots',
    });
  });

  test('goes on after a merge by what was decided when its sources were hidden, and with nothing else', () => {
    expect(all('Go on with what the merge has freed')).toMatchObject({
      Type: 'Pass',
      Parameters: { 'run.$': '$.hidden.run' },
      Next: 'Is there anything to survey?',
    });
  });

  test('deletes nothing in a dry run, and nothing that was not surveyed and planned', () => {
    expect(all('Is there anything to delete?').Choices).toEqual([
      {
        And: [
          { Variable: '$.run.dryRun', BooleanEquals: false },
          { Variable: '$.deletions.batches', NumericGreaterThan: 0 },
        ],
        Next: 'Delete the versions',
      },
    ]);
    for (const way of ways().filter((each) => each.includes('Delete the versions'))) {
      expect(way.indexOf('Plan the deletions')).toBeGreaterThan(way.indexOf('Is there anything to survey?'));
      expect(way.indexOf('Plan the deletions')).toBeLessThan(way.indexOf('Delete the versions'));
    }
  });

  test('answers what its last step says', () => {
    expect(all('Finish the maintenance')).toMatchObject({ End: true, Parameters: { 'run.$': '$.run' } });
    expect(all('Finish the maintenance')).not.toHaveProperty('ResultPath');
  });

  test('gives back locks and holds when it fails, and fails with what really went wrong', () => {
    expect(all('Maintain the backup').Catch).toEqual([
      { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Abort the maintenance' },
    ]);
    expect(all('Abort the maintenance')).toMatchObject({
      Parameters: { machine: 'Maintain', 'failure.$': '$.failure', 'execution.$': '$$.Execution.Name' },
      Next: 'Fail with the first error',
    });
  });

  test('catches nothing inside, so that every failure gets to the bracket', () => {
    expect(Object.entries(steps().States).filter(([, each]) => each.Catch !== undefined)).toEqual([]);
  });
});
