import { describe, expect, it } from 'vitest';
import { CatalogCorrupt, SnapshotNotFound } from '../../../core/errors.ts';
import { type HoldRequest, holdSnapshot, readHolds, releaseHold } from '../../../core/holds.ts';
import { abortRun } from '../../../core/jobs/end-run.ts';
import { planRestore } from '../../../core/jobs/plan-restore.ts';
import { recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { holdKey, sweptKey } from '../../../core/work-layout.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';

function holdOf(history: MaintainHistory, snapshot: string, execution = 'reader'): HoldRequest {
  const since = new Date(history.world.clock.nowEpochMillis()).toISOString();
  return { backup: 'prod', snapshot, execution, executionArn: `arn:${execution}`, since };
}

function restoreOf(snapshot: string): unknown {
  return { backup: 'prod', snapshot, cluster: 'prod', options: { policy: 'replace', targetIsStopped: true } };
}

async function one(): Promise<{ history: MaintainHistory; snapshot: string }> {
  const history = new MaintainHistory();
  const { snapshot } = await history.take('full', [{ path: 'conf', content: 'x' }]);
  await history.take('full');
  history.world.executions.states.set('arn:reader', { status: 'running' });
  return { history, snapshot };
}

describe('a reader', () => {
  it('that holds a snapshot keeps all of it, and what it left is freed afterwards', async () => {
    const { history, snapshot } = await one();
    const { work, vault } = history.world;
    await holdSnapshot(work, vault, holdOf(history, snapshot));
    const before = await history.world.partsOf(snapshot);
    const report = await history.maintain({ action: 'purge', snapshot, immediately: true });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 }, catalogObjects: 0 });
    expect(await history.world.partsOf(snapshot)).toEqual(before);
    expect(await work.head(sweptKey('prod', snapshot))).toBeUndefined();
    await releaseHold(work, { backup: 'prod', snapshot, executionArn: 'arn:reader' });
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 3 } });
  });

  it('that holds between the look at the catalog and the tombstone is seen', async () => {
    const { history, snapshot } = await one();
    const { work, vault } = history.world;
    vault.before('create', '/tombstones/', () => holdSnapshot(work, vault, holdOf(history, snapshot)));
    const input = { action: 'purge' as const, snapshot, immediately: true };
    expect(await history.world.maintain(input)).toMatchObject({ hiddenCount: 1, frees: { parts: 0 } });
  });

  it('that comes after the tombstone sees it, and gives up', async () => {
    const { history, snapshot } = await one();
    const { work, vault } = history.world;
    const late = {
      survey: () => expect(holdSnapshot(work, vault, holdOf(history, snapshot))).rejects.toThrow(SnapshotNotFound),
    };
    const input = { action: 'purge' as const, snapshot, immediately: true };
    expect(await history.world.maintain(input, { before: late })).toMatchObject({ frees: { parts: 3 } });
  });

  it('that comes too late gives its hold back when its run is aborted', async () => {
    const { history, snapshot } = await one();
    const { world } = history;
    world.vault.before('get', recordKey('prod', snapshot), () => history.world.maintain({ action: 'purge', snapshot }));
    const start = world.start('reader', restoreOf(snapshot));
    await expect(planRestore(world.planning, start)).rejects.toThrow(SnapshotNotFound);
    expect(await world.work.head(holdKey('prod', snapshot, 'arn:reader'))).toBeDefined();
    await abortRun(world.work, { ...start, machine: 'Restore', failure: { Error: 'SnapshotNotFound', Cause: '' } });
    expect(world.work.keys().filter((key) => /^(holds|locks)\//.test(key))).toEqual([]);
  });

  it('keeps its hold when a ghost of its plan comes after a tombstone', async () => {
    const { history, snapshot } = await one();
    const { world } = history;
    const start = world.start('reader', restoreOf(snapshot));
    const before = await world.partsOf(snapshot);
    world.work.before('create', 'locks/cluster', async () => {
      await planRestore(world.planning, start);
      const input = { action: 'purge' as const, snapshot, immediately: true };
      expect(await world.maintain(input)).toMatchObject({ hiddenCount: 1, frees: { parts: 0 } });
    });
    await expect(planRestore(world.planning, start)).rejects.toThrow(SnapshotNotFound);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 0 } });
    expect(await world.partsOf(snapshot)).toEqual(before);
  });

  it('that holds a snapshot keeps what it names of others', async () => {
    const history = new MaintainHistory();
    const full = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const second = await history.take('incremental', [{ path: 'rank-0/anchor', content: 'y' }]);
    const { work, vault, executions } = history.world;
    executions.states.set('arn:reader', { status: 'running' });
    await holdSnapshot(work, vault, holdOf(history, second.snapshot));
    await history.maintain({ action: 'purge', snapshot: second.snapshot, immediately: true });
    const report = await history.maintain({ action: 'purge', snapshot: full.snapshot, immediately: true });
    expect(report).toMatchObject({ frees: { parts: 1 }, residue: { parts: 2, for: [second.snapshot] } });
    await history.assertNothingIsMissing();
  });

  it('whose execution ended 16 minutes ago holds nothing any more', async () => {
    const { history, snapshot } = await one();
    const { work, vault, executions, clock } = history.world;
    await holdSnapshot(work, vault, holdOf(history, snapshot));
    executions.states.set('arn:reader', { status: 'ended', stoppedAtEpochMillis: clock.nowEpochMillis() });
    clock.advanceMinutes(14);
    const input = { action: 'purge' as const, snapshot, immediately: true };
    expect(await history.world.maintain(input)).toMatchObject({ frees: { parts: 0 } });
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 3 } });
    expect(await work.head(holdKey('prod', snapshot, 'arn:reader'))).toBeDefined();
  });

  it('whose hold cannot be read may be anybody', async () => {
    const { history, snapshot } = await one();
    await history.world.work.put(holdKey('prod', snapshot, 'arn:reader'), Buffer.from('{}'));
    await expect(history.world.maintain({ action: 'purge', snapshot })).rejects.toThrow(CatalogCorrupt);
    expect(await history.world.vault.head(tombstoneKey('prod', snapshot))).toBeUndefined();
  });

  it('of another backup is not listed', async () => {
    const { history, snapshot } = await one();
    const { work, vault } = history.world;
    await holdSnapshot(work, vault, { ...holdOf(history, snapshot), backup: 'prod2' });
    expect(await readHolds(history.world.maintaining, 'prod')).toEqual([]);
    expect(await readHolds(history.world.maintaining, 'prod2')).toEqual([
      { key: holdKey('prod2', snapshot, 'arn:reader'), snapshot, execution: 'reader', stale: false },
    ]);
  });
});
