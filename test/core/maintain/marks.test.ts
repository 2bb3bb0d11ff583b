import { describe, expect, it } from 'vitest';
import { readFreeze, readPins } from '../../../core/catalog.ts';
import { BackupFrozen, SnapshotNotFound, UndeleteTooLate } from '../../../core/errors.ts';
import { recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { backupLockKey, sweptKey } from '../../../core/work-layout.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';

async function two(): Promise<{ history: MaintainHistory; full: string; incremental: string }> {
  const history = new MaintainHistory();
  const { snapshot: full } = await history.take('full');
  const { snapshot: incremental } = await history.take('incremental', [{ path: 'conf', content: 'x' }]);
  return { history, full, incremental };
}

describe('pin and unpin', () => {
  it('write and take back one small object', async () => {
    const { history, incremental } = await two();
    const { vault } = history.world;
    const report = await history.maintain({ action: 'pin', snapshot: 'latest', reason: 'why' });
    expect(report.next).toBe(
      `${incremental} is pinned: retention keeps it, and purge and drop refuse it, until it is unpinned.`,
    );
    expect(await readPins(vault, 'prod')).toMatchObject([{ snapshot: incremental, reason: 'why' }]);
    const again = await history.maintain({ action: 'pin', snapshot: incremental, reason: 'other' });
    expect(again.next).toContain(`${incremental} was pinned before`);
    expect(await readPins(vault, 'prod')).toMatchObject([{ reason: 'why' }]);
    expect((await history.maintain({ action: 'unpin', snapshot: incremental })).next).toContain(
      'is not pinned any more',
    );
    expect(await readPins(vault, 'prod')).toEqual([]);
    expect((await history.maintain({ action: 'unpin', snapshot: incremental })).next).toContain('is not pinned.');
    await history.maintain({ action: 'pin', snapshot: incremental, reason: 'once more' });
    expect(await readPins(vault, 'prod')).toMatchObject([{ reason: 'once more' }]);
  });

  it('refuse what there is not', async () => {
    const { history } = await two();
    const snapshot = 'snapshot.2020-01-01.00-00-00';
    await expect(history.world.maintain({ action: 'pin', snapshot })).rejects.toThrow(SnapshotNotFound);
    await expect(history.world.maintain({ action: 'unpin', snapshot })).rejects.toThrow(SnapshotNotFound);
  });

  it('as a dry run change nothing', async () => {
    const { history } = await two();
    const before = await history.world.everything();
    const report = await history.world.maintain({ action: 'pin', snapshot: 'latest', dryRun: true });
    expect(report.next).toMatch(/is pinned: .* Nothing was changed: start it again without "dryRun" to do it\.$/);
    expect(await history.world.everything()).toEqual(before);
  });

  it('answer the same when they are called again, whatever has changed since', async () => {
    const { history, incremental } = await two();
    const { world } = history;
    const input = { action: 'pin' as const, snapshot: incremental };
    const first = await world.maintain(input, { execution: 'one' });
    const again = await world.maintain(input, { execution: 'one', minutes: 0, invoked: 'twice' });
    expect(again).toEqual(first);
    expect(world.vault.keys().filter((key) => key.includes('/maintenance/'))).toHaveLength(1);
  });
});

describe('freeze and thaw', () => {
  it('write and take back one small object', async () => {
    const { history } = await two();
    const { vault } = history.world;
    expect((await history.maintain({ action: 'freeze', reason: 'why' })).next).toContain("Backup 'prod' is frozen");
    expect(await readFreeze(vault, 'prod')).toMatchObject({ reason: 'why' });
    expect((await history.maintain({ action: 'freeze' })).next).toContain('was frozen before');
    expect((await history.maintain({ action: 'thaw' })).next).toContain('is thawed');
    expect(await readFreeze(vault, 'prod')).toBeUndefined();
    expect((await history.maintain({ action: 'thaw' })).next).toBe("Backup 'prod' is not frozen.");
  });

  it('wait for no snapshot, and pins neither', async () => {
    const { history, full } = await two();
    const { world } = history;
    world.executions.states.set('arn:run', { status: 'running' });
    await world.plan({ type: 'full', execution: 'run' });
    for (const action of ['freeze', 'thaw'] as const) {
      expect(await world.planMaintenance({ action })).toMatchObject({ outcome: 'finished' });
    }
    for (const action of ['pin', 'unpin'] as const) {
      expect(await world.planMaintenance({ action, snapshot: full })).toMatchObject({ outcome: 'finished' });
    }
    expect(await world.work.head(backupLockKey('prod'))).toBeDefined();
  });

  it('are looked at before each tombstone: what was frozen since the decision is not hidden, what was pinned stays', async () => {
    const { history, full, incremental } = await two();
    const { world } = history;
    /** The lock is read once when it is taken, and again before the tombstone. */
    const purgeAfter = (meanwhile: () => Promise<unknown>, snapshot: string) => {
      world.work.before('get', 'locks/backup/prod', () => Promise.resolve());
      world.work.before('get', 'locks/backup/prod', meanwhile);
      return world.maintain({ action: 'purge', snapshot, immediately: true });
    };
    const pinned = await purgeAfter(() => world.maintain({ action: 'pin', snapshot: full }), full);
    expect(pinned).toMatchObject({ hiddenCount: 0, frees: { parts: 0 } });
    const frozen = purgeAfter(() => world.maintain({ action: 'freeze' }), incremental);
    await expect(frozen).rejects.toThrow(BackupFrozen);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([full, incremental]);
  });

  it('are not taken back by a ghost that comes late', async () => {
    const { history } = await two();
    const { world } = history;
    await history.maintain({ action: 'freeze' });
    const start = world.start('one', { backup: 'prod', action: 'thaw' });
    world.vault.before('listVersions', '/attempts/', async () => {
      await world.planStarted(start);
      await world.maintain({ action: 'freeze', reason: 'again' });
    });
    await world.planStarted(start);
    expect(await readFreeze(world.vault, 'prod')).toMatchObject({ reason: 'again' });
  });

  it('work beside a record that nobody can read', async () => {
    const { history, full } = await two();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(recordKey('prod', full)), { body: Buffer.from('{}') });
    await history.maintain({ action: 'freeze', reason: 'damaged' });
    expect(await readFreeze(vault, 'prod')).toMatchObject({ reason: 'damaged' });
  });
});

describe('undelete', () => {
  it('brings a snapshot back with every byte, in its window', async () => {
    const { history, full, incremental } = await two();
    await history.maintain({ action: 'purge', snapshot: full });
    await history.maintain({ action: 'collect' });
    const report = await history.maintain({ action: 'undelete', snapshot: full });
    expect(report.next).toContain(`Back in the catalog: ${full}`);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([full, incremental]);
    await history.assertRestores();
  });

  it('after an undelete a purge begins a new window', async () => {
    const { history, full } = await two();
    await history.maintain({ action: 'purge', snapshot: full });
    await history.maintain({ action: 'undelete', snapshot: full });
    history.world.advanceDays(10);
    const report = await history.maintain({ action: 'purge', snapshot: full });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 }, later: { parts: 0, residue: { parts: 2 } } });
  });

  it('without a snapshot brings back all that can be, and says when there is none', async () => {
    const { history, full, incremental } = await two();
    await history.maintain({ action: 'purge', snapshot: full, immediately: true });
    await history.maintain({ action: 'purge', snapshot: incremental });
    const report = await history.maintain({ action: 'undelete' });
    expect(report.next).toContain(`Back in the catalog: ${incremental};`);
    expect((await history.maintain({ action: 'undelete' })).next).toBe("Nothing of backup 'prod' can be undeleted.");
    await history.assertRestores();
  });

  it('is refused from a minute before the window ends, when a sweep may have begun', async () => {
    const { history, full } = await two();
    const { world } = history;
    await world.maintain({ action: 'purge', snapshot: full });
    world.advanceDays(3);
    const input = { action: 'undelete' as const, snapshot: full };
    await world.maintain({ ...input, dryRun: true }, { minutes: -2 });
    const late = world.maintain(input, { minutes: 1 });
    await expect(late).rejects.toThrow(UndeleteTooLate);
    await expect(late).rejects.toThrow('its bytes were kept until');
    expect(await world.vault.head(tombstoneKey('prod', full))).toBeDefined();
  });

  it('is refused when its removal has begun, whatever the clock says', async () => {
    const { history, full, incremental } = await two();
    const { world } = history;
    await world.maintain({ action: 'purge', snapshot: full });
    await world.maintain({ action: 'purge', snapshot: incremental });
    world.vault.lose(world.vault.currentVersion(recordKey('prod', full)));
    await world.work.put(sweptKey('prod', incremental), Buffer.from('{}'));
    for (const snapshot of [full, incremental]) {
      await expect(world.maintain({ action: 'undelete', snapshot })).rejects.toThrow('its removal has begun');
    }
  });

  it('is refused when nothing is left, and of what never was', async () => {
    const { history, full, incremental } = await two();
    const { world } = history;
    await world.maintain({ action: 'purge', snapshot: incremental, immediately: true });
    await expect(world.maintain({ action: 'undelete', snapshot: incremental })).rejects.toThrow(UndeleteTooLate);
    const never = 'snapshot.2020-01-01.00-00-00';
    await expect(world.maintain({ action: 'undelete', snapshot: never })).rejects.toThrow(SnapshotNotFound);
    const report = await world.maintain({ action: 'undelete', snapshot: full });
    expect(report.next).toBe(`${full} is in the catalog: there is nothing to undelete.`);
  });
});
