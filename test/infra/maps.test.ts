import { beforeAll, describe, expect, test } from 'vitest';
import { RESTORE_PHASES } from '../../core/run.ts';
import type { State } from './definition.ts';
import { machineOf } from './machine.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});

const mapsOf = (machine: string) => machineOf(synthesized.workflows, machine).ofType('Map');

describe.each(['Snapshot', 'Restore', 'Maintain', 'Verify'])('the Maps of %s', (machine) => {
  const maps = () => mapsOf(machine);

  test('tolerate no failure', () => {
    expect(maps().length).toBeGreaterThan(1);
    for (const { state: map } of maps()) {
      const tolerances = Object.entries(map).filter(([field]) => field.startsWith('Tolerated'));
      // Absent is 0 (Amazon States Language, Map state).
      expect(tolerances.filter(([, value]) => value !== 0)).toEqual([]);
    }
  });

  test('discard their result and write it to the work bucket', () => {
    for (const { state: map } of maps()) {
      expect(map['ResultPath']).toBeNull();
      expect(map['ResultWriter']).toMatchObject({
        Parameters: {
          Bucket: expect.stringMatching(/^<Work/),
          'Prefix.$': expect.stringMatching(/^States\.Format\('\{\}[\w-]+', \$\.run\.resultsPrefix\)$/),
        },
      });
    }
  });

  test('run a bounded number of children, each an execution of its own', () => {
    for (const { state: map } of maps()) {
      expect(map['MaxConcurrencyPath']).toMatch(/^\$\.run\.(rank|copy)Concurrency$/);
      expect(map['ItemProcessor']).toMatchObject({
        ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      });
    }
  });

  test('have labels of their own, which Step Functions takes', () => {
    const labels = maps().map(({ state: map }) => String(map['Label']));
    expect(labels).toEqual([...new Set(labels)]);
    // 40 characters (Step Functions guide, Distributed Map).
    expect(labels.filter((label) => !/^[\w-]{1,40}$/.test(label))).toEqual([]);
  });

  test('give every child the run', () => {
    for (const { state: map } of maps()) {
      expect(map['ItemSelector']).toMatchObject({ 'run.$': '$.run' });
      const child = map.ItemProcessor ?? { StartAt: '', States: {} };
      expect(payloadOf(child.States[child.StartAt])).toMatchObject({ 'run.$': '$.run' });
    }
  });

  test('tell a function where it stopped, and call it again until it is done', () => {
    const looping = maps().filter(({ name }) => !['Seal the ranks', 'Seal the merged ranks'].includes(name));
    expect(looping.length).toBeGreaterThan(1);
    for (const { state: map } of looping) {
      const child = map.ItemProcessor ?? { StartAt: '', States: {} };
      const step = child.States[child.StartAt];
      const atSite = String(step?.['Resource']).endsWith('lambda:invoke');
      const path = atSite ? '$.site.progress' : '$.progress';
      expect(map['ItemSelector']).toMatchObject(
        atSite ? { site: { progress: { done: false } } } : { progress: { done: false } },
      );
      expect(payloadOf(step)).toMatchObject({ 'progress.$': path });
      expect(step).toMatchObject({ ResultPath: atSite ? '$.site' : '$.progress' });
      const check = child.States[step?.Next ?? ''];
      expect(check?.Choices).toEqual([{ Variable: `${path}.done`, BooleanEquals: false, Next: child.StartAt }]);
    }
  });

  test('leave a small output: what the child was about', () => {
    for (const { state: map } of maps()) {
      const ends = Object.values(map.ItemProcessor?.States ?? {}).filter((child) => child.End === true);
      expect(ends).toHaveLength(1);
      expect(['rank.$', 'batch.$,rank.$', 'item.$']).toContain(
        Object.keys(fieldsOf(ends[0]?.['Parameters'])).toSorted().join(),
      );
    }
  });
});

const RANKS = { InputType: 'JSON', key: '$.run.ranksKey', concurrency: '$.run.rankConcurrency' };
const COPIES = { InputType: 'JSONL', key: '$.run.batchesKey', concurrency: '$.run.copyConcurrency' };
const UNITS = { InputType: 'JSONL', key: '$.run.unitsKey', concurrency: '$.run.rankConcurrency' };

describe('the items of a Map come from the run', () => {
  test.each([
    ['Snapshot', 'Enumerate the ranks ahead', RANKS],
    ['Snapshot', 'Copy the parts ahead', { ...COPIES, key: '$.run.warmBatchesKey' }],
    ['Snapshot', 'Enumerate the ranks', RANKS],
    ['Snapshot', 'Copy the parts', COPIES],
    ['Snapshot', 'Fence the ranks', RANKS],
    ['Snapshot', 'Seal the ranks', RANKS],
    ['Restore', 'Compare the ranks', RANKS],
    ['Maintain', 'List the parts to be merged', RANKS],
    ['Maintain', 'Copy the merged parts', COPIES],
    ['Maintain', 'Seal the merged ranks', RANKS],
    ['Maintain', 'Verify the merged ranks', RANKS],
    ['Maintain', 'Survey what can be deleted', UNITS],
    ['Maintain', 'Delete the versions', { ...COPIES, key: '$.run.deletionsKey' }],
    ['Verify', 'Look at the ranks', UNITS],
    ['Verify', 'Read the parts', COPIES],
  ])('%s: %s', (machine, name, { InputType, key, concurrency }) => {
    const map = mapsOf(machine).find((each) => each.name === name)?.state;
    expect(map?.['ItemReader']).toMatchObject({
      ReaderConfig: { InputType },
      Parameters: { Bucket: expect.stringMatching(/^<Work/), 'Key.$': key },
    });
    expect(map?.['MaxConcurrencyPath']).toBe(concurrency);
  });

  test('and all Maps are looked at here, or are phases of a restore', () => {
    const phases = mapsOf('Restore').length - 1;
    expect(phases).toBe(RESTORE_PHASES.length);
    const known = { Snapshot: 6, Restore: 1 + phases, Maintain: 6, Verify: 2 };
    for (const [machine, count] of Object.entries(known)) {
      expect([machine, mapsOf(machine).length]).toEqual([machine, count]);
    }
  });
});

/** A function that exists once is given its payload as it stands; one of a site gets it beside its name. */
function payloadOf(step: State | undefined): unknown {
  const parameters = fieldsOf(step?.['Parameters']);
  return 'Payload' in parameters ? parameters.Payload : parameters;
}

function fieldsOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
