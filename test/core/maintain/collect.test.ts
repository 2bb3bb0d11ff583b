import { describe, expect, it } from 'vitest';
import { BackupInProgress } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { holdSnapshot } from '../../../core/holds.ts';
import { unlockRun } from '../../../core/jobs/end-run.ts';
import { snapshotRecordSchema } from '../../../core/records.ts';
import type { SnapshotPlan } from '../../../core/run.ts';
import { createJson, readJson } from '../../../core/stored-json.ts';
import { attemptKey, partKey, ranksKey, recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { holdKey, sweptKey } from '../../../core/work-layout.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';

const HOURS = 60;

/** A snapshot that died after its copies; its locks are given back, as AbortSnapshot does. */
async function died(history: MaintainHistory, execution = 'dead'): Promise<SnapshotPlan> {
  const { world, backup } = history;
  world.clock.advanceMinutes(1);
  const plan = await world.plan({ backup, type: 'incremental', execution });
  await world.inspect(plan);
  await world.enumerateAll(plan, 'final');
  await world.copyAll(plan, 'final');
  await unlockRun(world.work, plan.run);
  return plan;
}

describe('collecting orphans', () => {
  it('frees what a failed attempt copied, 48 hours after it was claimed and not before', async () => {
    const history = new MaintainHistory();
    await history.take('full');
    history.edit([{ path: 'conf', content: 'never taken' }]);
    const plan = await died(history);
    history.world.clock.advanceMinutes(48 * HOURS - 2);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ orphans: 0, frees: { parts: 0 } });
    history.world.clock.advanceMinutes(1);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ hiddenCount: 0, orphans: 1, frees: { parts: 1, bytes: 11 }, catalogObjects: 1 });
    expect(await history.world.partsOf(plan.run.snapshot)).toEqual([]);
    expect(await history.world.vault.head(attemptKey('prod', plan.run.snapshot))).toBeUndefined();
    expect(await history.world.vault.head(tombstoneKey('prod', plan.run.snapshot))).toBeDefined();
    await history.assertRestores();
    const next = await history.take('incremental');
    expect(next.snapshot > plan.run.snapshot).toBe(true);
  });

  it('leaves an attempt whose execution runs, however old it is', async () => {
    const history = new MaintainHistory();
    await history.take('full');
    history.world.executions.states.set('arn:dead', { status: 'running' });
    const plan = await died(history);
    history.world.advanceDays(5);
    const upload = history.world.vault.plantUpload(`prod/${plan.run.snapshot}/rank-1/huge`, 0);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ orphans: 0, uploads: 0 });
    expect(await uploadsOf(history)).toEqual([upload.key]);
  });

  it('takes a snapshot whose record lies under a delete marker for no orphan, and touches nothing', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    await history.take('full', [{ path: 'conf', content: 'x' }]);
    await history.world.vault.delete(recordKey('prod', snapshot));
    history.world.advanceDays(5);
    const before = await history.world.everything();
    await expect(history.world.maintain({ action: 'collect' })).rejects.toThrow('"action":"repair"');
    expect(await history.world.everything()).toEqual(before);
  });

  it('leaves an attempt that nobody can read', async () => {
    const history = new MaintainHistory();
    await history.take('full');
    const plan = await died(history);
    const { vault } = history.world;
    vault.damage(vault.currentVersion(attemptKey('prod', plan.run.snapshot)), { body: Buffer.from('{}') });
    history.world.advanceDays(5);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ orphans: 0, frees: { parts: 0 } });
    expect(report.next).toContain(
      `The attempt of prod/${plan.run.snapshot} cannot be read, and nothing of it is deleted`,
    );
  });

  it('gives a snapshot whose record was deleted for good a window, says so, and undeletes it with its record', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full', [{ path: 'conf', content: 'x' }]);
    await history.take('full');
    const { world } = history;
    const key = recordKey('prod', snapshot);
    const record = (await readJson(world.vault, key, snapshotRecordSchema))?.value;
    await world.vault.deleteVersions([world.vault.currentVersion(key)]);
    world.advanceDays(5);
    const before = await world.partsOf(snapshot);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ orphans: 1, frees: { parts: 0 }, catalogObjects: 0 });
    expect(report.next).toContain(`prod/${snapshot} was complete and has no record`);
    expect(await world.partsOf(snapshot)).toEqual(before);
    await expect(world.maintain({ action: 'undelete', snapshot })).rejects.toThrow('never was a snapshot');
    await createJson(world.vault, key, record);
    await history.maintain({ action: 'undelete', snapshot });
    await history.assertRestores();
  });

  it('frees one whose record was deleted for good when the window is over, except what is named', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const next = await history.take('incremental', [{ path: 'conf', content: 'y' }]);
    const { world } = history;
    await world.vault.deleteVersions([world.vault.currentVersion(recordKey('prod', snapshot))]);
    // Known by who builds on it alone.
    await world.vault.deleteVersions([world.vault.currentVersion(ranksKey('prod', snapshot))]);
    world.advanceDays(5);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ orphans: 1, frees: { parts: 0 } });
    world.advanceDays(4);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ frees: { parts: 1 }, residue: { parts: 2, for: [next.snapshot] } });
    await history.assertRestores();
  });

  it('leaves it to a purge by name to free it at once', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    await history.take('full');
    const { world } = history;
    await world.vault.deleteVersions([world.vault.currentVersion(recordKey('prod', snapshot))]);
    world.clock.advanceMinutes(20);
    const report = await history.maintain({ action: 'purge', snapshot, immediately: true });
    expect(report).toMatchObject({ hiddenCount: 0, orphans: 1, frees: { parts: 2 } });
    expect(await world.partsOf(snapshot)).toEqual([]);
    await history.assertRestores();
  });

  it('says the same of it when the plan is tried again', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    const { world } = history;
    await world.vault.deleteVersions([world.vault.currentVersion(recordKey('prod', snapshot))]);
    world.advanceDays(5);
    world.work.before('create', 'sweep/', () => Promise.reject(new Error('killed')));
    await expect(world.maintain({ action: 'collect' }, { execution: 'one' })).rejects.toThrow('killed');
    const report = await world.maintain({ action: 'collect' }, { execution: 'one', minutes: 0 });
    expect(report.orphans).toBe(1);
    expect(report.next).toContain(`prod/${snapshot} was complete and has no record`);
  });

  it('keeps what a worker of a dead snapshot could still commit upon', async () => {
    const history = new MaintainHistory();
    const base = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const plan = await died(history);
    const { world } = history;
    world.executions.states.set('arn:dead', { status: 'ended', stoppedAtEpochMillis: world.clock.nowEpochMillis() });
    const report = await history.maintain({ action: 'purge', snapshot: base.snapshot, immediately: true });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 } });
    // The ghost: what it commits now must have all of its bytes.
    for (const rank of await world.ranks(plan)) {
      await world.fence(plan, rank);
    }
    history.expected.set(plan.run.snapshot, history.expected.get(base.snapshot) ?? new Map());
    await world.work.put('locks/backup/prod.json', jsonBytes({ formatVersion: 1, ...plan.run, acquiredAt: 'now' }));
    await world.finish(plan);
    await history.assertRestores();
    world.clock.advanceMinutes(20);
    await history.maintain({ action: 'collect' });
    await history.assertRestores();
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([plan.run.snapshot]);
  });
});

async function uploadsOf(history: MaintainHistory): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of history.world.vault.listUploads('')) {
    keys.push(key);
  }
  return keys;
}

describe('collecting beside what is live', () => {
  it('frees versions and delete markers that nothing names, and nothing that something names', async () => {
    const history = new MaintainHistory('held');
    const changed = [{ path: 'rank-1/tom-0/a', content: 'changed while copying' }];
    const { snapshot } = await history.take('full', [{ path: 'rank-1/tom-0/a', content: 'a' }], changed);
    const { vault } = history.world;
    const stray = partKey('held', snapshot, 0, 'stray');
    await vault.create(stray, Buffer.from('stray'));
    await vault.delete(stray);
    history.world.clock.advanceMinutes(47 * HOURS);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 0 } });
    history.world.clock.advanceMinutes(2 * HOURS);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ frees: { parts: 2 }, markers: 1, residue: { parts: 0 }, catalogObjects: 0 });
    await history.assertNothingIsMissing();
    await history.assertRestores();
    const parts = await history.world.partsOf(snapshot, 'held');
    expect(parts.filter((key) => key.includes('.rewritten'))).toHaveLength(1);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 0 }, markers: 0 });
  });

  it('looks beside snapshots in their window too, and leaves what they may need', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    await history.take('full');
    history.world.advanceDays(3);
    await history.maintain({ action: 'purge', snapshot });
    await history.world.vault.create(partKey('prod', snapshot, 0, 'stray'), Buffer.from('stray'));
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 1, bytes: 5 } });
    await history.maintain({ action: 'undelete', snapshot });
    await history.assertRestores();
  });

  it('leaves directories that are nobody’s', async () => {
    const history = new MaintainHistory();
    await history.take('full');
    await history.world.vault.create('prod/notes/readme', Buffer.from('by hand'));
    await history.world.vault.create('prod/snapshot.2020-01-01.00-00-00/rank-0/x', Buffer.from('by hand'));
    history.world.advanceDays(5);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 0 } });
  });
});

describe('collecting uploads and holds', () => {
  it('aborts uploads that were begun 48 hours ago, of this backup alone', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    const { vault, clock } = history.world;
    const old = clock.nowEpochMillis();
    vault.plantUpload(`prod/${snapshot}/rank-1/old`, old);
    vault.plantUpload(`prod2/${snapshot}/rank-1/other`, old);
    history.world.advanceDays(3);
    vault.plantUpload(`prod/${snapshot}/rank-1/young`, clock.nowEpochMillis());
    const report = await history.maintain({ action: 'collect' }, { invoked: 'twice' });
    expect(report).toMatchObject({ uploads: 1 });
    expect(await uploadsOf(history)).toEqual([`prod/${snapshot}/rank-1/young`, `prod2/${snapshot}/rank-1/other`]);
  });

  it('deletes holds of readers that are over, and no others', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    const { world } = history;
    world.executions.states.set('arn:reader', { status: 'running' });
    for (const execution of ['reader', 'gone']) {
      const since = new Date(world.clock.nowEpochMillis()).toISOString();
      const hold = { backup: 'prod', snapshot, execution, executionArn: `arn:${execution}`, since };
      await holdSnapshot(world.work, world.vault, hold);
    }
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ staleHolds: 0 });
    world.clock.advanceMinutes(20);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ staleHolds: 1 });
    expect(world.work.keys().filter((key) => key.startsWith('holds/'))).toEqual([
      holdKey('prod', snapshot, 'arn:reader'),
    ]);
  });

  it('leaves the hold of a reader that was redriven since, and all of a backup that was frozen since', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    const { world } = history;
    const hold = {
      backup: 'prod',
      snapshot,
      execution: 'reader',
      executionArn: 'arn:reader',
      since: '2026-01-31T22:00:00.000Z',
    };
    await holdSnapshot(world.work, world.vault, hold);
    world.vault.plantUpload(`prod/${snapshot}/rank-1/old`, 0);
    world.advanceDays(3);
    const redriven = async () => world.executions.states.set('arn:reader', { status: 'running' });
    await world.maintain({ action: 'collect' }, { before: { finish: redriven } });
    expect(await world.work.head(holdKey('prod', snapshot, 'arn:reader'))).toBeDefined();
    world.executions.states.delete('arn:reader');
    world.vault.plantUpload(`prod/${snapshot}/rank-1/other`, 0);
    const frozen = () => world.maintain({ action: 'freeze' });
    const report = await world.maintain({ action: 'collect' }, { before: { finish: frozen } });
    expect(report).toMatchObject({ uploads: 0, staleHolds: 0 });
    expect(await uploadsOf(history)).toEqual([`prod/${snapshot}/rank-1/other`]);
    expect(await world.work.head(holdKey('prod', snapshot, 'arn:reader'))).toBeDefined();
  });
});

describe('collecting', () => {
  it('sweeps what is due without looking at stamps, and leaves residue with a stamp', async () => {
    const history = new MaintainHistory();
    const full = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const second = await history.take('incremental', [{ path: 'conf', content: 'y' }]);
    await history.maintain({ action: 'purge', snapshot: full.snapshot, immediately: true });
    const { work } = history.world;
    expect(await work.head(sweptKey('prod', full.snapshot))).toBeDefined();
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ residue: { parts: 2, for: [second.snapshot] } });
    expect(report.next).toBe('Residue goes when the snapshots that name it are gone.');
  });

  it('of a frozen backup ends well and does nothing', async () => {
    const history = new MaintainHistory();
    await history.take('full');
    await died(history);
    await history.maintain({ action: 'freeze', reason: 'an incident' });
    history.world.advanceDays(5);
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ orphans: 0 });
    expect(report.next).toContain("Backup 'prod' is frozen since");
  });

  it('waits its turn when it is told to, and tells a person at once otherwise', async () => {
    const history = new MaintainHistory();
    const { world } = history;
    world.executions.states.set('arn:run', { status: 'running' });
    await world.plan({ type: 'full', execution: 'run' });
    await expect(world.planMaintenance({ action: 'collect' })).rejects.toThrow(BackupInProgress);
    expect(await world.planMaintenance({ action: 'collect', wait: true })).toEqual({
      outcome: 'wait',
      waitSeconds: 120,
    });
  });
});
