import { describe, expect, it } from 'vitest';
import { BackupNotFound, CatalogCorrupt } from '../../../core/errors.ts';
import { recordKey, verificationKey } from '../../../core/vault-layout.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';
import { sampleConfig } from '../../support/sample-config.ts';

/** Of the retention in maintain-history.ts: one full, two days, three a run, undeleted for three days. */
async function twoChains(): Promise<{ history: MaintainHistory; old: readonly string[]; young: readonly string[] }> {
  const history = new MaintainHistory();
  const old: string[] = [];
  for (const content of ['1', '2', '3']) {
    const type = content === '1' ? 'full' : 'incremental';
    old.push((await history.take(type, [{ path: 'conf', content }])).snapshot);
  }
  history.world.advanceDays(10);
  const young = [(await history.take('full')).snapshot];
  history.world.advanceDays(3);
  young.push((await history.take('incremental', [{ path: 'conf', content: '4' }])).snapshot);
  return { history, old, young };
}

describe('an expiry', () => {
  it('hides what retention has no reason to keep, and says why everything else stays', async () => {
    const { history, old, young } = await twoChains();
    const report = await history.maintain({ action: 'expire', after: young[1] });
    expect(report.hidden.map(({ snapshot }) => snapshot)).toEqual(old);
    expect(report.hidden[0]?.reason).toContain('older than the last 2 days');
    expect(report.kept).toEqual([
      { snapshot: young[0], reasons: expect.arrayContaining(['one of the newest fulls (keepFulls: 1)']) },
      { snapshot: young[1], reasons: expect.arrayContaining(['the newest good snapshot']) },
    ]);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual(young);
  });

  it('frees what was hidden when its window is over', async () => {
    const { history, old } = await twoChains();
    await history.maintain({ action: 'expire' });
    history.world.advanceDays(4);
    const report = await history.maintain({ action: 'expire' });
    expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 5, bytes: 15 }, residue: { parts: 0 } });
    expect(await history.world.partsOf(old[0] ?? '')).toEqual([]);
    await history.assertRestores();
  });

  it('with nothing to do ends with its plan, and leaves no record', async () => {
    const { history, young } = await twoChains();
    await history.maintain({ action: 'expire' });
    const records = history.world.vault.keys().filter((key) => key.includes('/maintenance/'));
    const answer = await history.world.planMaintenance({ action: 'expire', backup: 'prod' });
    expect(answer).toMatchObject({
      outcome: 'finished',
      result: {
        outcome: 'done',
        report: { hiddenCount: 0, hiddenBefore: { parts: 5 }, kept: [{ snapshot: young[0] }, {}] },
      },
    });
    expect(history.world.vault.keys().filter((key) => key.includes('/maintenance/'))).toEqual(records);
    expect(history.world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('of a backup without snapshots has nothing to do', async () => {
    const { world } = new MaintainHistory();
    expect(await world.maintain({ action: 'expire' })).toMatchObject({ hiddenCount: 0, kept: [] });
  });

  it('hides no more than maxExpirePerRun, also when an earlier try died between two tombstones', async () => {
    const { history } = await twoChains();
    history.world.advanceDays(10);
    await history.take('full');
    history.world.advanceDays(3);
    await history.take('full');
    const { world } = history;
    world.vault.before('create', '/tombstones/', () => Promise.resolve());
    world.vault.before('create', '/tombstones/', () => Promise.reject(new Error('killed')));
    await expect(world.maintain({ action: 'expire' }, { execution: 'one' })).rejects.toThrow('killed');
    const report = await world.maintain({ action: 'expire' }, { execution: 'one', minutes: 0 });
    expect(report.hiddenCount).toBe(3);
    expect(await history.visible()).toHaveLength(4);
  });

  it('of a frozen backup ends well, says so, and does nothing', async () => {
    const { history } = await twoChains();
    await history.maintain({ action: 'purge', snapshot: (await history.visible())[0]?.snapshot, immediately: false });
    history.world.advanceDays(4);
    await history.maintain({ action: 'freeze', reason: 'an incident' });
    const before = (await history.world.everything()).length;
    const report = await history.maintain({ action: 'expire' });
    expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 0 } });
    expect(report.kept).toHaveLength(4);
    expect(report.next).toMatch(/^Backup 'prod' is frozen since .* \(an incident\): nothing was hidden or deleted\.$/);
    expect((await history.world.everything()).length).toBe(before);
  });

  it('of a backup that was taken out of the configuration is refused', async () => {
    const { history } = await twoChains();
    const { backups } = sampleConfig();
    const { prod: _prod, ...others } = backups;
    const config = sampleConfig({ backups: others });
    const input = { action: 'expire', backup: 'prod' };
    const planning = history.world.planWith(config, input);
    await expect(planning).rejects.toThrow(BackupNotFound);
    await expect(planning).rejects.toThrow('a backup that was removed from it is never expired');
    expect(await history.visible()).toHaveLength(5);
  });

  it('does not guess what a verification found that nobody can read', async () => {
    const { history } = await twoChains();
    await history.world.vault.create(verificationKey('prod', 'v'), Buffer.from('{}'));
    await expect(history.world.maintain({ action: 'expire' })).rejects.toThrow(CatalogCorrupt);
    expect(await history.visible()).toHaveLength(5);
  });

  it('stops at a record that nobody can read', async () => {
    const { history, young } = await twoChains();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(recordKey('prod', young[1] ?? '')), { body: Buffer.from('no JSON') });
    await expect(history.world.maintain({ action: 'expire' })).rejects.toThrow(CatalogCorrupt);
    expect(vault.keys().some((key) => key.includes('/tombstones/'))).toBe(false);
  });

  it('keeps what is pinned', async () => {
    const { history, old } = await twoChains();
    await history.maintain({ action: 'pin', snapshot: old[0] });
    const report = await history.maintain({ action: 'expire' });
    expect(report.hidden.map(({ snapshot }) => snapshot)).toEqual(old.slice(1));
    await history.assertRestores();
  });
});
