import { describe, expect, it } from 'vitest';
import { readSnapshots } from '../../../core/catalog.ts';
import { BackupFrozen, BackupInProgress, BackupNotFound, InputInvalid, SnapshotPinned } from '../../../core/errors.ts';
import { unlockRun } from '../../../core/jobs/end-run.ts';
import { tombstoneSchema } from '../../../core/records.ts';
import { readJson } from '../../../core/stored-json.ts';
import { tombstoneKey } from '../../../core/vault-layout.ts';
import { comparable } from '../../support/maintain-history.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';

/** Three backups of one tree; `second` has two snapshots. */
async function threeBackups(): Promise<MaintainWorld> {
  const world = new MaintainWorld();
  await world.snapshot({ backup: 'prod', type: 'full', execution: 'run-1' });
  await world.snapshot({ backup: 'second', type: 'full', execution: 'run-2' });
  await world.snapshot({ backup: 'held', type: 'full', execution: 'run-3' });
  await world.snapshot({ backup: 'second', type: 'incremental', execution: 'run-4' });
  return world;
}

async function visible(world: MaintainWorld): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const backup of ['held', 'prod', 'second']) {
    counts[backup] = (await readSnapshots(world.vault, backup)).length;
  }
  return counts;
}

describe('a drop', () => {
  it('hides every snapshot of the backup of this name, and of no other', async () => {
    const world = await threeBackups();
    const report = await world.maintain({ action: 'drop', backup: 'second' });
    expect(report).toMatchObject({ hiddenCount: 2, later: { parts: 5 } });
    expect(report.next).toContain("'second' is still configured: its schedules go on until it is taken out.");
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 0 });
  });

  it('immediately frees every byte, and again is no error', async () => {
    const world = await threeBackups();
    const planned = await world.maintain({ action: 'drop', backup: 'second', immediately: true, dryRun: true });
    const report = await world.maintain({ action: 'drop', backup: 'second', immediately: true }, { minutes: 0 });
    expect(report).toMatchObject({ frees: { parts: 5 }, residue: { parts: 0 } });
    expect(comparable(planned)).toEqual(comparable(report));
    const left = (await world.everything()).map(({ key }) => key).filter((key) => key.includes('second'));
    expect(left.filter((key) => !/\/(tombstones|definitions|maintenance)\//.test(key))).toEqual([]);
    expect(await world.maintain({ action: 'drop', backup: 'second' })).toMatchObject({ hiddenCount: 0 });
  });

  it('by the beginning of names takes those that match', async () => {
    const world = await threeBackups();
    const report = await world.maintain({ action: 'drop', backup: 's*', deleteAllBackups: true });
    expect(report.hiddenCount).toBe(2);
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 0 });
    const records = world.vault.keys().filter((key) => key.includes('/maintenance/'));
    expect(records).toEqual([expect.stringContaining('catalog/second/maintenance/')]);
  });

  it('of all takes all, and leaves a record with each', async () => {
    const world = await threeBackups();
    expect(await world.maintain({ action: 'drop', backup: '*', deleteAllBackups: true })).toMatchObject({
      hiddenCount: 4,
    });
    expect(await visible(world)).toEqual({ held: 0, prod: 0, second: 0 });
    expect(world.vault.keys().filter((key) => key.includes('/maintenance/'))).toHaveLength(3);
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('also hides the claims of snapshots that died, and frees what they copied', async () => {
    const world = await threeBackups();
    const plan = await world.plan({ type: 'full', execution: 'dead' });
    await world.inspect(plan);
    await world.enumerateAll(plan, 'final');
    await world.copyAll(plan, 'final');
    await unlockRun(world.work, plan.run);
    world.clock.advanceMinutes(20);
    const report = await world.maintain({ action: 'drop', immediately: true });
    expect(report).toMatchObject({ hiddenCount: 1, orphans: 1, frees: { parts: 10 } });
    const tombstone = await readJson(world.vault, tombstoneKey('prod', plan.run.snapshot), tombstoneSchema);
    expect(tombstone?.value).toMatchObject({ action: 'drop' });
    expect(tombstone?.value.record).toBeUndefined();
  });

  it('can be undeleted as a whole', async () => {
    const world = await threeBackups();
    await world.maintain({ action: 'drop', backup: 'second' });
    const report = await world.maintain({ action: 'undelete', backup: 'second' });
    expect(report.next).toContain('Back in the catalog: snapshot.');
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 2 });
  });

  it('works for a backup that only the vault has', async () => {
    const world = await threeBackups();
    const config = { ...world.config, backups: {} };
    const answer = await world.planWith(config, { action: 'drop', backup: 'held' });
    expect(answer).toMatchObject({ outcome: 'planned' });
    expect(await visible(world)).toMatchObject({ held: 0 });
  });
});

describe('a drop is refused, with nothing hidden,', () => {
  it.each([
    [{ backup: '' }, InputInvalid, "backup is ''; it must be the name of a backup"],
    [{ backup: ' ' }, InputInvalid, "backup is ' '; it must be the name of a backup"],
    [{ backup: '*prod' }, InputInvalid, "or '*' for all"],
    [{ backup: '**', deleteAllBackups: true }, InputInvalid, "or '*' for all"],
    [{ backup: '*' }, InputInvalid, "to drop every backup that it fits, say 'deleteAllBackups': true"],
    [{ backup: 'pro*' }, InputInvalid, "to drop every backup that it fits, say 'deleteAllBackups': true"],
    [{ backup: 'nothing*', deleteAllBackups: true }, BackupNotFound, 'It has held, prod, second.'],
    [{ backup: 'unknown' }, BackupNotFound, 'The vault has no backup "unknown"'],
  ])('of %j', async (input, error, message) => {
    const world = await threeBackups();
    const dropping = world.maintain({ action: 'drop', ...input });
    await expect(dropping).rejects.toThrow(error);
    await expect(dropping).rejects.toThrow(message);
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 2 });
  });

  it('when any snapshot of any of them is pinned', async () => {
    const world = await threeBackups();
    await world.maintain({ action: 'pin', backup: 'second', snapshot: 'latest' });
    await expect(world.maintain({ action: 'drop', backup: '*', deleteAllBackups: true })).rejects.toThrow(
      SnapshotPinned,
    );
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 2 });
  });

  it('when any of them is frozen', async () => {
    const world = await threeBackups();
    await world.maintain({ action: 'freeze', backup: 'second' });
    await expect(world.maintain({ action: 'drop', backup: '*', deleteAllBackups: true })).rejects.toThrow(BackupFrozen);
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 2 });
  });

  it('when a snapshot of any of them runs; the locks of the others are given back', async () => {
    const world = await threeBackups();
    world.executions.states.set('arn:running', { status: 'running' });
    await world.plan({ backup: 'second', type: 'full', execution: 'running' });
    const before = world.work.keys().filter((key) => key.startsWith('locks/'));
    const dropping = { action: 'drop' as const, backup: '*', deleteAllBackups: true };
    await expect(world.maintain(dropping)).rejects.toThrow(BackupInProgress);
    expect(await world.planMaintenance({ ...dropping, wait: true })).toEqual({ outcome: 'wait', waitSeconds: 120 });
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual(before);
    expect(await visible(world)).toEqual({ held: 1, prod: 1, second: 2 });
  });
});
