import { describe, expect, it } from 'vitest';
import { BackupFrozen, BackupNotFound, CatalogCorrupt, InputInvalid } from '../../../core/errors.ts';
import { readRankList } from '../../../core/jobs/plan-copies.ts';
import { readMaintainPlan } from '../../../core/maintain/plan.ts';
import { maintainRunSchema } from '../../../core/run.ts';
import { attemptKey, recordKey } from '../../../core/vault-layout.ts';
import { holdKey, RunKeys } from '../../../core/work-layout.ts';
import { comparable, MaintainHistory } from '../../support/maintain-history.ts';

async function chain() {
  const history = new MaintainHistory();
  const names: string[] = [];
  for (const content of ['1', '2', '3']) {
    const type = content === '1' ? 'full' : 'incremental';
    names.push((await history.take(type, [{ path: 'conf', content }])).snapshot);
  }
  return { history, world: history.world, names };
}

async function planned(history: MaintainHistory, input: object) {
  const answer = await history.world.planMaintenance({ action: 'merge', ...input }, 'merge');
  if (answer.outcome !== 'planned') {
    throw new Error(`The merge was not planned: ${answer.outcome}.`);
  }
  const plan = await readMaintainPlan(history.world.work, new RunKeys('Maintain', 'merge'));
  return { run: maintainRunSchema.parse(answer.run), plan };
}

describe('planning a merge', () => {
  it('chooses the snapshot and what it builds on, claims a directory, and holds what is copied', async () => {
    const { history, world, names } = await chain();
    const { run, plan } = await planned(history, {});
    expect(run).toMatchObject({ merges: true, dryRun: false, units: 0, snapshot: plan.merge?.snapshot });
    expect(plan.merge).toMatchObject({ source: names[2], sources: names, undeleteDays: 3 });
    expect(await world.vault.head(attemptKey('prod', run.snapshot ?? ''))).toBeDefined();
    expect(await world.work.head(holdKey('prod', names[2] ?? '', 'arn:merge'))).toBeDefined();
    expect(await readRankList(world.work, run.ranksKey)).toEqual([0, 1, 'cluster']);
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
    expect(await history.visible()).toHaveLength(3);
  });

  it('goes back as far as the bases are visible', async () => {
    const { history, names } = await chain();
    await history.maintain({ action: 'purge', snapshot: names[0] });
    expect((await planned(history, { snapshot: names[2] })).plan.merge?.sources).toEqual(names.slice(1));
  });

  it('claims one directory however often it is tried', async () => {
    const { history, world } = await chain();
    world.work.before('create', 'plan.json', () => Promise.reject(new Error('killed')));
    const start = world.start('merge', { action: 'merge', backup: 'prod' });
    await expect(world.planStarted(start)).rejects.toThrow('killed');
    world.clock.advanceMinutes(1);
    await world.planStarted(start);
    const attempts = world.vault.keys().filter((key) => key.includes('/attempts/'));
    expect(attempts).toHaveLength(4);
    expect(await history.visible()).toHaveLength(3);
  });

  it('as a whole makes one full of the chain, and says the same before as a dry run', async () => {
    const { history, world, names } = await chain();
    const before = await world.everything();
    const dry = await world.maintain({ action: 'merge', dryRun: true });
    expect(await world.everything()).toEqual(before);
    expect(world.work.keys().filter((key) => key.startsWith('holds/'))).toEqual([]);
    const report = await world.maintain({ action: 'merge' }, { minutes: 0 });
    expect(comparable(report)).toEqual(comparable(dry));
    expect(report).toMatchObject({
      hiddenCount: 3,
      merged: { parts: 3, bytes: 13 },
      later: { parts: 5 },
      frees: { parts: 0 },
    });
    const [merged, ...others] = await history.visible();
    expect([merged?.snapshot, merged?.mergedFrom, others]).toEqual([report.merged?.snapshot, names, []]);
    expect(world.work.keys().filter((key) => key.startsWith('holds/'))).toEqual([]);
    history.expected.set(merged?.snapshot ?? '', history.expected.get(names[2] ?? '') ?? new Map());
    await history.assertRestores();
    world.advanceDays(4);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 5 }, residue: { parts: 0 } });
    await history.assertRestores();
  });

  it('keeps pinned sources in the catalog, and says so', async () => {
    const { history, world, names } = await chain();
    await history.maintain({ action: 'pin', snapshot: names[1] });
    const dry = await world.maintain({ action: 'merge', dryRun: true });
    const report = await world.maintain({ action: 'merge' }, { minutes: 0 });
    expect(comparable(report)).toEqual(comparable(dry));
    expect(report.next).toContain(`${names[1]} is pinned: it is merged, and stays in the catalog.`);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([names[1], report.merged?.snapshot]);
  });

  it('is refused for a full, merged or not', async () => {
    const { world, names } = await chain();
    await expect(world.maintain({ action: 'merge', snapshot: names[0] })).rejects.toThrow(InputInvalid);
    await world.maintain({ action: 'merge' });
    await expect(world.maintain({ action: 'merge' })).rejects.toThrow('is a full: there is nothing to merge');
  });

  it('is refused in a frozen backup, and in one that the configuration does not have', async () => {
    const { history, world } = await chain();
    await history.maintain({ action: 'freeze' });
    await expect(world.maintain({ action: 'merge' })).rejects.toThrow(BackupFrozen);
    const config = { ...world.config, backups: {} };
    await expect(world.planWith(config, { action: 'merge', backup: 'prod' })).rejects.toThrow(BackupNotFound);
  });

  it('is refused beside a record that nobody can read', async () => {
    const { world, names } = await chain();
    world.vault.damage(world.vault.currentVersion(recordKey('prod', names[0] ?? '')), { body: Buffer.from('{}') });
    await expect(world.maintain({ action: 'merge' })).rejects.toThrow(CatalogCorrupt);
    expect(world.work.keys().filter((key) => key.startsWith('holds/'))).toEqual([]);
  });
});
