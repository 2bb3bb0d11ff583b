import { describe, expect, it } from 'vitest';
import { acquireBackupLock } from '../../../core/claims.ts';
import { BackupInProgress } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { releaseLock } from '../../../core/locks.ts';
import { maintainPlanSchema, sweepPlanKey } from '../../../core/maintain/plan.ts';
import { ownerOf } from '../../../core/owner.ts';
import type { SnapshotPlan } from '../../../core/run.ts';
import { readJson } from '../../../core/stored-json.ts';
import { attemptKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { backupLockKey, RunKeys } from '../../../core/work-layout.ts';
import { comparable, filesOf, MaintainHistory } from '../../support/maintain-history.ts';

async function taken() {
  const history = new MaintainHistory();
  const { snapshot } = await history.take('full');
  await history.take('full');
  return { history, world: history.world, purge: { action: 'purge' as const, snapshot, immediately: true } };
}

function lockOf(execution: string, more: object = {}) {
  const acquiredAt = '2026-01-31T22:00:00.000Z';
  return jsonBytes({
    formatVersion: 1,
    execution,
    executionArn: `arn:${execution}`,
    nonce: execution,
    acquiredAt,
    ...more,
  });
}

/** Of a snapshot that was planned and runs. */
function attemptOf(snapshot: string, base: string) {
  return {
    formatVersion: 1,
    backup: 'prod',
    snapshot,
    id: '1769903999000',
    execution: 'run',
    executionArn: 'arn:run',
    nonce: 'run',
    type: 'incremental',
    base,
    claimedAt: '2026-01-31T23:59:59.000Z',
  };
}

describe('planning a maintenance', () => {
  it('gives the lock back when it has decided, and when it refuses', async () => {
    const { world, purge } = await taken();
    await world.planMaintenance(purge);
    await expect(world.planMaintenance({ action: 'purge', snapshot: '1600000000000' })).rejects.toThrow();
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('is refused while a snapshot runs, or waits if it may', async () => {
    const { world, purge } = await taken();
    world.executions.states.set('arn:run', { status: 'running' });
    await world.plan({ type: 'incremental', execution: 'run' });
    const planning = world.planMaintenance(purge);
    await expect(planning).rejects.toThrow(BackupInProgress);
    await expect(planning).rejects.toThrow('or add "wait": true');
    expect(await world.planMaintenance({ ...purge, wait: true })).toEqual({ outcome: 'wait', waitSeconds: 120 });
    expect(await world.vault.head(tombstoneKey('prod', purge.snapshot))).toBeUndefined();
  });

  it('waits for who decides something in seconds, also when it was not told to', async () => {
    const { world, purge } = await taken();
    world.executions.states.set('arn:other', { status: 'running' });
    await world.work.put(backupLockKey('prod'), lockOf('other', { brief: true }));
    expect(await world.planMaintenance(purge)).toEqual({ outcome: 'wait', waitSeconds: 5 });
  });

  it('takes the lock of a dead snapshot, whose late commit is never seen', async () => {
    const { world, purge } = await taken();
    const plan = await world.plan({ type: 'incremental', execution: 'dead' });
    world.clock.advanceMinutes(20);
    const report = await world.maintain(purge);
    expect(report).toMatchObject({ hiddenCount: 1, orphans: 0 });
    expect(await world.vault.head(tombstoneKey('prod', plan.run.snapshot))).toBeDefined();
  });

  it('takes no such lock for a dry run, which says what would come of it and changes nothing', async () => {
    const { history, world, purge } = await taken();
    history.edit([{ path: 'conf', content: 'never taken' }]);
    const plan = await world.plan({ type: 'incremental', execution: 'dead' });
    await world.inspect(plan);
    await world.enumerateAll(plan, 'final');
    await world.copyAll(plan, 'final');
    world.clock.advanceMinutes(20);
    const before = await world.everything();
    const planned = await world.maintain({ ...purge, dryRun: true });
    expect(await world.everything()).toEqual(before);
    expect(await world.work.head(backupLockKey('prod'))).toBeDefined();
    const report = await world.maintain(purge, { minutes: 0 });
    expect(comparable(planned)).toEqual(comparable(report));
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 3 }, orphans: 0 });
  });

  it('writes nothing when the lock was lost before a tombstone, and looks again', async () => {
    const { world, purge } = await taken();
    world.work.before('get', 'locks/backup/prod', () => world.work.put(backupLockKey('prod'), lockOf('thief')));
    const answer = await world.planMaintenance(purge);
    expect(answer).toEqual({ outcome: 'wait', waitSeconds: 5 });
    expect(await world.vault.head(tombstoneKey('prod', purge.snapshot))).toBeUndefined();
    expect(await world.work.head(backupLockKey('prod'))).toBeDefined();
  });

  it('freezes nothing when the lock was given back while it wrote a tombstone, and a snapshot builds on what that hides', async () => {
    const { history, world, purge } = await taken();
    const base = await history.take('full', [{ path: 'conf', content: 'x' }]);
    history.edit([{ path: 'rank-0/anchor', content: 'y' }]);
    const input = { ...purge, snapshot: base.snapshot, wait: true };
    for (const execution of ['one', 'run']) {
      world.executions.states.set(`arn:${execution}`, { status: 'running' });
    }
    const start = world.start('one', { backup: 'prod', ...input });
    const running: SnapshotPlan[] = [];
    world.vault.before('create', '/tombstones/', async () => {
      await releaseLock(world.work, backupLockKey('prod'), ownerOf(start).nonce);
      const plan = await world.plan({ type: 'incremental', execution: 'run' });
      await world.inspect(plan);
      await world.enumerateAll(plan, 'final');
      running.push(plan);
    });
    expect(await world.planStarted(start)).toEqual({ outcome: 'wait', waitSeconds: 5 });
    expect(await world.work.head(sweepPlanKey(new RunKeys('Maintain', 'one')))).toBeUndefined();
    expect(await world.planStarted(start)).toEqual({ outcome: 'wait', waitSeconds: 120 });
    for (const plan of running) {
      await world.copyAll(plan, 'final');
      history.expected.set(plan.run.snapshot, filesOf(world.tree));
      await world.finish(plan);
    }
    const report = await world.maintain(input, { execution: 'one', minutes: 0 });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 1 }, residue: { parts: 2 } });
    await history.assertRestores();
  });

  it('does not take a lock that it gave back and took anew for one that it held all the time', async () => {
    const { world, purge } = await taken();
    const start = world.start('one', { backup: 'prod', ...purge });
    const { nonce } = ownerOf(start);
    world.vault.before('create', '/tombstones/', () => world.work.put(backupLockKey('prod'), lockOf('one', { nonce })));
    expect(await world.planStarted(start)).toEqual({ outcome: 'wait', waitSeconds: 5 });
    expect(await world.work.head(sweepPlanKey(new RunKeys('Maintain', 'one')))).toBeUndefined();
  });

  it('reads everything again after its tombstones', async () => {
    const { world, purge } = await taken();
    world.executions.states.set('arn:run', { status: 'running' });
    const attempt = attemptOf('snapshot.2026-01-31.23-59-59', purge.snapshot);
    world.vault.before('create', '/tombstones/', () =>
      world.vault.create(attemptKey('prod', attempt.snapshot), jsonBytes(attempt)),
    );
    expect(await world.maintain(purge)).toMatchObject({ hiddenCount: 1, frees: { parts: 0 } });
  });

  it('gives the lock back in the next try when that failed, so that no snapshot waits for the whole run', async () => {
    const { world, purge } = await taken();
    world.executions.states.set('arn:one', { status: 'running' });
    const start = world.start('one', { backup: 'prod', ...purge });
    await world.planStarted(start);
    await acquireBackupLock(world.maintaining, 'prod', { ...ownerOf(start), brief: true });
    expect(await world.planStarted(start)).toMatchObject({ outcome: 'planned' });
    expect(await world.work.head(backupLockKey('prod'))).toBeUndefined();
  });

  it('takes a lock that was meant to be brief and is 20 minutes old for a long one', async () => {
    const { world, purge } = await taken();
    world.executions.states.set('arn:other', { status: 'running' });
    const acquiredAt = new Date(world.clock.nowEpochMillis()).toISOString();
    await world.work.put(backupLockKey('prod'), lockOf('other', { brief: true, acquiredAt }));
    world.clock.advanceMinutes(19);
    expect(await world.planMaintenance(purge)).toEqual({ outcome: 'wait', waitSeconds: 5 });
    world.clock.advanceMinutes(1);
    await expect(world.planMaintenance(purge)).rejects.toThrow(BackupInProgress);
    expect(await world.planMaintenance({ ...purge, wait: true })).toEqual({ outcome: 'wait', waitSeconds: 120 });
  });

  it('answers what is frozen, whatever has changed since', async () => {
    const { world, purge } = await taken();
    const start = world.start('one', { backup: 'prod', ...purge });
    const first = await world.planStarted(start);
    await world.work.put(backupLockKey('prod'), lockOf('other'));
    world.clock.advanceMinutes(5);
    expect(await world.planStarted(start)).toEqual(first);
    const plan = await readJson(world.work, new RunKeys('Maintain', 'one').plan(), maintainPlanSchema);
    expect(plan?.value.input).toMatchObject({
      action: 'purge',
      snapshot: purge.snapshot,
      immediately: true,
      dryRun: false,
    });
  });

  it('does not take the plan of an earlier execution of the same name for its own', async () => {
    const { world, purge } = await taken();
    await world.planMaintenance(purge, 'one');
    world.clock.advanceMinutes(5);
    await expect(world.planMaintenance(purge, 'one')).rejects.toThrow('An earlier execution was called one too');
  });

  it('lets a snapshot be taken while it surveys and deletes', async () => {
    const { history, world, purge } = await taken();
    const middle = { survey: () => history.take('incremental', [{ path: 'conf', content: 'x' }]) };
    expect(await world.maintain(purge, { before: middle })).toMatchObject({ frees: { parts: 2 } });
    await history.take('incremental');
    await history.assertRestores();
  });

  it('lets one be taken before bytes go that it builds on', async () => {
    const { history, world } = await taken();
    const base = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const second = await history.take('incremental', [{ path: 'rank-0/anchor', content: 'y' }]);
    const middle = { planDeletions: () => history.take('incremental', [{ path: 'rank-1/anchor', content: 'z' }]) };
    const report = await world.maintain(
      { action: 'purge', snapshot: base.snapshot, immediately: true },
      { before: middle },
    );
    expect(report).toMatchObject({ frees: { parts: 1 }, residue: { parts: 2, for: [second.snapshot] } });
    await history.assertRestores();
  });
});
