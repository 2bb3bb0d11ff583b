import { describe, expect, it } from 'vitest';
import {
  ClusterNotReady,
  KagentSnapshotMissing,
  RankMissing,
  RestoreInProgress,
  UncoveredFiles,
} from '../../../core/errors.ts';
import { type InspectDependencies, inspectCluster } from '../../../core/jobs/inspect-cluster.ts';
import { FIRST_POLL, inspectionSchema, type SnapshotPlan } from '../../../core/run.ts';
import { readJson } from '../../../core/stored-json.ts';
import { InMemoryClusterControl } from '../../support/in-memory-cluster-control.ts';
import { JobWorld } from '../../support/job-world.ts';
import { ListedSource } from '../../support/listed-source.ts';

async function inspecting(
  backup: string,
  change: Partial<InspectDependencies> = {},
  topology?: SnapshotPlan['cluster']['topology'],
  base: Partial<Pick<SnapshotPlan, 'base' | 'baseRanks'>> = {},
) {
  const world = new JobWorld();
  const planned = await world.plan({ backup, type: 'full', execution: 'run-1' });
  const cluster = topology === undefined ? planned.cluster : { ...planned.cluster, topology };
  const plan = { ...planned, ...base, cluster };
  const keys = world.keys('run-1');
  const deps: InspectDependencies = {
    work: world.work,
    keys,
    control: undefined,
    openSource: () => new ListedSource({ 0: [], 1: [], 2: [] }),
    chooseKagentDirectory: () => Promise.reject(new Error('No KAgent source.')),
    ...change,
  };
  return {
    look: (poll = FIRST_POLL, more: Partial<InspectDependencies> = {}) =>
      inspectCluster({ ...deps, ...more }, plan, poll),
    found: async () => (await readJson(world.work, keys.inspection(), inspectionSchema))?.value,
    ranks: () => world.ranks(plan),
  };
}

describe('inspecting the cluster', () => {
  it('takes the ranks from the roots where nobody can be asked', async () => {
    const { look, found, ranks } = await inspecting('prod');
    expect(await look()).toEqual({ count: 0, ready: true, waitSeconds: 0 });
    expect(await ranks()).toEqual([0, 1, 2, 'cluster']);
    expect(await found()).toEqual({
      formatVersion: 1,
      topology: { from: 'roots', ranks: [{ rank: 0 }, { rank: 1 }, { rank: 2 }] },
    });
  });

  it('is refused when a rank of the base has vanished from the roots and nobody says that it was removed', async () => {
    const gone = { base: 'snapshot.2026-01-30.22-00-00', baseRanks: [0, 1, 2, 3, 'cluster' as const] };
    const { look } = await inspecting('prod', {}, undefined, gone);
    await expect(look()).rejects.toThrow(RankMissing);
    await expect(look()).rejects.toThrow('take a full');
  });

  it('asks the cluster for ranks, TOMs and version', async () => {
    const { look, found } = await inspecting('held', { control: new InMemoryClusterControl({ tomsPerRank: 2 }) });
    await look();
    const ranks = [
      { rank: 0, toms: [] },
      { rank: 1, toms: [0, 1] },
      { rank: 2, toms: [0, 1] },
    ];
    expect(await found()).toMatchObject({ topology: { from: 'cluster', ranks }, serverVersion: '7.2.3.14' });
  });

  it('leaves out a rank that the cluster calls removed', async () => {
    const control = new InMemoryClusterControl();
    const whole = await control.topology();
    control.topology = () =>
      Promise.resolve({ ...whole, ranks: [...whole.ranks, { rank: 3, toms: undefined, removed: true }] });
    const { look, ranks } = await inspecting('held', { control });
    await look();
    expect(await ranks()).toEqual([0, 1, 2, 'cluster']);
  });

  it('believes the configuration before anybody else', async () => {
    const { look, found } = await inspecting(
      'held',
      { control: new InMemoryClusterControl() },
      { ranks: [0, 1, 2], tomsPerRank: 2 },
    );
    await look();
    expect(await found()).toMatchObject({
      topology: { from: 'config', ranks: [{ rank: 0 }, { rank: 1, toms: [0, 1] }, { rank: 2, toms: [0, 1] }] },
    });
  });

  it('keeps what it found first: a late ghost changes nothing', async () => {
    const { look, found, ranks } = await inspecting('prod');
    await look();
    const first = await found();
    await look(FIRST_POLL, { openSource: () => new ListedSource({ 0: [], 1: [], 2: [], 3: [] }) });
    expect(await found()).toEqual(first);
    expect(await ranks()).toEqual([0, 1, 2, 'cluster']);
  });

  it.each(['stopped', 'busy'] as const)('waits for a cluster that is %s, and gives up in the end', async (state) => {
    const control = new InMemoryClusterControl();
    const observation = await control.observe();
    const change = state === 'busy' ? { clusterOperationInProgress: true } : { running: false, statusWord: 'limited' };
    control.observe = () => Promise.resolve({ ...observation, ...change });
    const { look } = await inspecting('held', { control });
    expect(await look()).toEqual({ count: 1, ready: false, waitSeconds: 10 });
    expect(await look({ count: 5, ready: false, waitSeconds: 60 })).toEqual({
      count: 6,
      ready: false,
      waitSeconds: 60,
    });
    await expect(look({ count: 65, ready: false, waitSeconds: 60 })).rejects.toThrow(ClusterNotReady);
  });

  it('refuses a root in which a restore has begun', async () => {
    const source = new ListedSource({ 0: [] });
    source.restoring.push('main');
    const { look } = await inspecting('prod', { openSource: () => source });
    await expect(look()).rejects.toThrow(RestoreInProgress);
  });

  it('refuses a rank of the cluster that no root has', async () => {
    const { look } = await inspecting('prod', {}, { ranks: [0, 1, 2, 3] });
    await expect(look()).rejects.toThrow(RankMissing);
    await expect(look()).rejects.toThrow('the roots hold nothing of 3');
  });

  it('refuses directories of a rank that the cluster does not have', async () => {
    const { look } = await inspecting('prod', {}, { ranks: [0, 1] });
    await expect(look()).rejects.toThrow(UncoveredFiles);
  });
});

describe('inspecting a KAgent source', () => {
  const directory = 'snapshot.2026-01-31.20-00-00';

  it('vaults the directory that was chosen, without asking the cluster', async () => {
    const control = new InMemoryClusterControl();
    control.stopped = true;
    const opened: (string | undefined)[] = [];
    const { look, found } = await inspecting('vendor', {
      control,
      chooseKagentDirectory: () => Promise.resolve({ outcome: 'chosen', directory, reason: 'newest' }),
      openSource: (name) => {
        opened.push(name);
        return new ListedSource({ 0: [], 1: [] });
      },
    });
    expect(await look()).toMatchObject({ ready: true });
    expect([opened, (await found())?.kagentDirectory]).toEqual([[directory], directory]);
  });

  it('waits while the newest directory settles', async () => {
    const wait = { outcome: 'wait' as const, reason: 'it still changes' };
    const { look } = await inspecting('vendor', { chooseKagentDirectory: () => Promise.resolve(wait) });
    expect(await look()).toMatchObject({ ready: false });
    await expect(look({ count: 65, ready: false, waitSeconds: 60 })).rejects.toThrow('is not ready: it still changes');
  });

  it('fails when there is none', async () => {
    const none = { outcome: 'none' as const, reason: 'KAgent has made no snapshot directory.' };
    const { look } = await inspecting('vendor', { chooseKagentDirectory: () => Promise.resolve(none) });
    await expect(look()).rejects.toThrow(KagentSnapshotMissing);
  });
});
