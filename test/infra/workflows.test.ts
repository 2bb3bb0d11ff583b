import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { TRANSIENT_ERROR_NAMES } from '../../core/errors.ts';
import { RESTORE_PHASES } from '../../core/run.ts';
import { definitionText, pathsFrom, reachable, type States } from './definition.ts';
import { longestWork, machineOf } from './machine.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

const MACHINES = ['Snapshot', 'Restore', 'Release', 'Maintain', 'Verify'] as const;

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});

const definition = (machine: string) => machineOf(synthesized.workflows, machine).definition;
const states = (machine: string) => machineOf(synthesized.workflows, machine).states;
const ofType = (machine: string, type: string) => machineOf(synthesized.workflows, machine).ofType(type);
const state = (machine: string, name: string) => machineOf(synthesized.workflows, machine).state(name);
const body = (machine: string, title: string) => machineOf(synthesized.workflows, machine).body(title);

describe.each(MACHINES)('%s', (machine) => {
  test('is valid to asl-validator', () => {
    const text = definitionText(synthesized.workflows, machine).replace(
      /<[^>]+>/g,
      'arn:aws:lambda:eu-central-1:111122223333:function:f',
    );
    const { isValid, errorsText } = aslValidator(JSON.parse(text), { checkArn: false });
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  test('names no state twice', () => {
    const names = states(machine).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  test('names states by sentences of at most 80 characters', () => {
    for (const { name } of states(machine)) {
      expect(name).toMatch(/^[A-Z][a-z]*( [a-z]+)+\??$/);
      expect(name.length).toBeLessThanOrEqual(80);
    }
  });

  test('reaches every state that it has', () => {
    for (const { name, level } of states(machine)) {
      expect([...reachable(level)]).toContain(name);
    }
  });

  test('has a timeout', () => {
    const seconds = {
      Snapshot: 86_400,
      Restore: 604_800,
      Release: 21_600,
      Maintain: 259_200,
      Verify: 259_200,
    }[machine];
    expect(definition(machine).TimeoutSeconds).toBe(seconds);
  });

  test('has a timeout for every call', () => {
    for (const { name, state: task } of ofType(machine, 'Task').filter(
      ({ state: each }) => !String(each['Resource']).includes('startExecution'),
    )) {
      expect([name, task['TimeoutSeconds']]).toEqual([name, 960]);
    }
  });

  test('goes on from every choice whatever the answer', () => {
    for (const { name, state: choice } of ofType(machine, 'Choice')) {
      expect([name, choice.Default]).toEqual([name, expect.any(String)]);
    }
  });

  test('fails with the name and the cause of an error that happened', () => {
    expect(ofType(machine, 'Fail').length).toBeGreaterThan(0);
    for (const { state: fail } of ofType(machine, 'Fail')) {
      expect(fail['ErrorPath']).toMatch(/^\$\.(abort\.error|failure\.Error|failure\.error)$/);
      expect(fail['CausePath']).toMatch(/^\$\.(abort\.cause|failure\.Cause|failure\.cause)$/);
    }
  });

  test('retries transient errors and failures of Lambda in every call but begin', () => {
    const calls = ofType(machine, 'Task').filter(
      ({ state: task }) => !String(task['Resource']).includes('startExecution'),
    );
    for (const { name, state: task } of calls.filter((call) => call.name !== 'Begin backup mode')) {
      const retries = task.Retry ?? [];
      expect([name, retries.map((retry) => retry.MaxAttempts)]).toEqual([name, [6, 4]]);
      expect(retries[0]?.ErrorEquals).toEqual([...TRANSIENT_ERROR_NAMES]);
      expect(retries[1]?.ErrorEquals).toEqual([
        'Lambda.ServiceException',
        'Lambda.AWSLambdaException',
        'Lambda.SdkClientException',
        'Lambda.TooManyRequestsException',
        'Lambda.ClientExecutionTimeoutException',
        'Lambda.Unknown',
        'Sandbox.Timedout',
        'States.Timeout',
      ]);
    }
  });

  test('waits between retries, longer each time, up to a minute, at random', () => {
    for (const { state: task } of ofType(machine, 'Task')) {
      for (const retry of (task.Retry ?? []).filter(({ MaxAttempts }) => MaxAttempts > 0)) {
        expect(retry).toMatchObject({
          IntervalSeconds: 2,
          BackoffRate: 2,
          MaxDelaySeconds: 60,
          JitterStrategy: 'FULL',
        });
      }
    }
  });
});

/** The states as a run sees them that quiesces: choices that ask for it have one way. */
function whenQuiescing(level: States): States {
  const taken = Object.entries(level.States).map(([name, each]) => {
    const rule = each.Choices?.[0];
    const asks = rule !== undefined && 'Variable' in rule && rule.Variable === '$.run.quiesce';
    return [name, asks ? { Type: each.Type, Next: rule.Next } : each] as const;
  });
  return { StartAt: level.StartAt, States: Object.fromEntries(taken) };
}

describe('Snapshot', () => {
  const take = () => body('Snapshot', 'Take the snapshot');

  test('takes its steps in the order of the recipe', () => {
    expect(longestWork(take())).toEqual([
      'Plan the snapshot',
      'Inspect the cluster',
      'Enumerate the ranks ahead',
      'Plan the copies ahead',
      'Copy the parts ahead',
      'Arm the release',
      'Begin backup mode',
      'Observe the cluster',
      'Enumerate the ranks',
      'Plan the copies',
      'Copy the parts',
      'Fence the ranks',
      'End backup mode',
      'Await the release',
      'Seal the ranks',
      'Commit the snapshot',
      'Unlock the backup',
      'Start the expiry',
    ]);
  });

  test('leaves the quiesced region only through Release', () => {
    const paths = pathsFrom(whenQuiescing(take()), 'Begin backup mode');
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      expect(path).toContain('End backup mode');
      expect(path.indexOf('Await the release')).toBeLessThan(path.indexOf('Seal the ranks'));
    }
  });

  test('starts Release on every failure that may have left the cluster in backup mode', () => {
    expect(state('Snapshot', 'Take the snapshot').state.Catch).toEqual([
      { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Abort the snapshot' },
    ]);
    expect(state('Snapshot', 'Abort the snapshot').state.Next).toBe('Must the cluster be released?');
    expect(state('Snapshot', 'Must the cluster be released?').state.Choices).toMatchObject([
      { Variable: '$.abort.release', BooleanEquals: true, Next: 'Release the cluster' },
    ]);
    expect(state('Snapshot', 'Release the cluster').state['Parameters']).toMatchObject({
      StateMachineArn: expect.stringMatching(/^<Release/),
      Input: { 'cluster.$': '$.abort.cluster', 'nonce.$': '$.abort.nonce', reason: 'abort' },
    });
  });

  test('catches nothing inside of the quiesced region, so that every failure gets to the bracket', () => {
    const catching = Object.entries(take().States).filter(([, each]) => each.Catch !== undefined);
    expect(catching.map(([name]) => name).sort()).toEqual(['End backup mode', 'Start the expiry', 'Unlock the backup']);
    expect(take().States['End backup mode']?.Catch?.[0]?.ErrorEquals).toEqual([
      'StepFunctions.ExecutionAlreadyExistsException',
    ]);
  });

  test('arms the release before it begins, whatever way it takes', () => {
    for (const path of pathsFrom(take(), take().StartAt).filter((each) => each.includes('Begin backup mode'))) {
      expect(path.indexOf('Arm the release')).toBeGreaterThan(-1);
      expect(path.indexOf('Arm the release')).toBeLessThan(path.indexOf('Begin backup mode'));
    }
  });

  test('never sends begin twice, except when the first was certainly not started', () => {
    const begin = state('Snapshot', 'Begin backup mode').state;
    expect(begin.Retry?.map((retry) => retry.ErrorEquals)).toEqual([['Lambda.TooManyRequestsException']]);
  });

  test('starts Release under one name for one execution, and goes on when it was started before', () => {
    const end = state('Snapshot', 'End backup mode').state;
    expect(end['Parameters']).toMatchObject({
      'Name.$': "States.Format('end-{}', $.run.nonce)",
      Input: { 'cluster.$': '$.run.cluster', 'nonce.$': '$.run.nonce', reason: 'end' },
    });
    expect(end.Catch?.[0]?.Next).toBe(end.Next);
  });

  test('cannot fail once it has committed', () => {
    expect(state('Snapshot', 'Unlock the backup').state.Catch).toMatchObject([
      { ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Start the expiry' },
    ]);
    expect(state('Snapshot', 'Start the expiry').state.Catch).toMatchObject([
      { ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'The snapshot is committed' },
    ]);
  });

  test('starts the expiry of its backup once, in an execution of its own, whatever became of the lock', () => {
    const expiry = state('Snapshot', 'Start the expiry').state;
    expect(expiry['Resource']).toMatch(/:states:startExecution$/);
    expect(expiry['Parameters']).toEqual({
      StateMachineArn: expect.stringMatching(/^<Maintain/),
      'Name.$': "States.Format('expire-{}', $.run.nonce)",
      Input: { action: 'expire', 'backup.$': '$.run.backup', wait: true, 'after.$': '$.run.snapshot' },
    });
    expect(expiry).toMatchObject({ ResultPath: null, Next: 'The snapshot is committed' });
    expect(state('Snapshot', 'The snapshot is committed').state['Parameters']).toEqual({
      outcome: 'committed',
      'snapshot.$': '$.snapshot',
    });
  });

  test('fails with the first error even when cleaning up fails', () => {
    const caught = state('Snapshot', 'Abort the snapshot').state.Catch ?? [];
    expect(caught).toMatchObject([{ ErrorEquals: ['States.ALL'], Next: 'Fail without having cleaned up' }]);
    expect(state('Snapshot', 'Fail without having cleaned up').state['ErrorPath']).toBe('$.failure.Error');
  });

  test('tells the plan and the abort who runs and on whose word, from the context alone', () => {
    const start = {
      'execution.$': '$$.Execution.Name',
      'executionArn.$': '$$.Execution.Id',
      'startedAt.$': '$$.Execution.StartTime',
      'input.$': '$$.Execution.Input',
    };
    expect(state('Snapshot', 'Plan the snapshot').state['Parameters']).toEqual(start);
    expect(state('Snapshot', 'Abort the snapshot').state['Parameters']).toEqual({
      ...start,
      machine: 'Snapshot',
      'failure.$': '$.failure',
    });
  });

  test('can put a failure into its state whatever it was started with', () => {
    const first = definition('Snapshot').States[definition('Snapshot').StartAt];
    expect(first).toMatchObject({ Type: 'Pass', Result: {}, Next: 'Take the snapshot' });
  });
});

describe('Restore', () => {
  const restore = () => body('Restore', 'Restore the cluster');

  test('takes its steps in the order of the recipe', () => {
    expect(longestWork(restore())).toEqual([
      'Plan the restore',
      'Inspect the target',
      'Compare the ranks',
      'Plan the batches',
      'Mark the target',
      'Move old files aside',
      'Mark that files are put in place',
      'Remove extra files',
      'Restore the parts',
      'Inspect the target again',
      'Activate the restored files',
      'Finish directories',
      'Clear the marks',
      'Finish the restore',
      'Unlock the cluster',
    ]);
  });

  test('writes nothing in a dry run', () => {
    const dryRuns = pathsFrom(restore(), 'Plan the restore').filter((path) =>
      path.includes('Unlock after the dry run'),
    );
    expect(dryRuns).toEqual([
      [
        'Plan the restore',
        'Inspect the target',
        'Compare the ranks',
        'Plan the batches',
        'Is it a dry run?',
        'Unlock after the dry run',
        'The restore is planned',
      ],
    ]);
  });

  test('marks the target before the first file moves and clears the marks last', () => {
    const writing = [
      'Move old files aside',
      'Restore the parts',
      'Remove extra files',
      'Activate the restored files',
      'Finish directories',
    ];
    for (const path of pathsFrom(restore(), 'Plan the restore').filter((each) =>
      each.some((name) => writing.includes(name)),
    )) {
      const at = path.map((name, index) => (writing.includes(name) ? index : -1)).filter((index) => index >= 0);
      expect(path.indexOf('Mark the target')).toBeLessThan(Math.min(...at));
      expect(path.indexOf('Clear the marks')).toBeGreaterThan(Math.max(...at));
    }
  });

  test.each(RESTORE_PHASES)('hands the phase %s and its batches to restore-parts', (phase) => {
    const map = ofType('Restore', 'Map').find(({ state: each }) => each['Label'] === `Restore-${phase}`)?.state;
    expect(map?.['ItemSelector']).toMatchObject({ phase });
    expect(map?.['ItemReader']).toMatchObject({ Parameters: { 'Key.$': `$.run.${phase}BatchesKey` } });
    const child = map?.ItemProcessor ?? { StartAt: '', States: {} };
    expect(child.States[child.StartAt]?.['Parameters']).toMatchObject({
      'FunctionName.$': '$.run.functions.restoreParts',
      Payload: { 'phase.$': '$.phase', 'item.$': '$.item' },
    });
  });
});

describe('Release', () => {
  test('sends the end until it is ready, then settles, and settles also when there is nothing to send', () => {
    expect(state('Release', 'Is the cluster in normal mode?').state).toMatchObject({
      Choices: [{ Variable: '$.site.poll.ready', BooleanEquals: false, Next: 'Wait before the end is sent again' }],
      Default: 'Settle the release',
    });
    expect(state('Release', 'Is there something to release?').state.Choices).toMatchObject([
      { Variable: '$.outcome', StringEquals: 'nothing', Next: 'Settle the release' },
    ]);
  });

  test('begins with the poll of its plan, which counts more than the others', () => {
    expect(state('Release', 'Begin to count the tries').state).toMatchObject({
      Parameters: { 'poll.$': '$.poll' },
      ResultPath: '$.site',
    });
  });

  test('reaches the cluster by the function that the intent record names', () => {
    expect(state('Release', 'Send the end of backup mode').state['Parameters']).toEqual({
      'FunctionName.$': '$.release.functions.controlCluster',
      Payload: { 'release.$': '$.release', action: 'end', 'poll.$': '$.site.poll' },
    });
  });
});
