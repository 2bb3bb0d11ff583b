import { describe, expect, it } from 'vitest';
import { CatalogCorrupt, SnapshotNotFound } from '../../../core/errors.ts';
import { manifestKey, partKey, ranksKey, recordKey } from '../../../core/vault-layout.ts';
import { impatient, MaintainHistory } from '../../support/maintain-history.ts';

const A = { path: 'rank-1/tom-0/a', content: 'a' };

async function two(backup: 'prod' | 'held' = 'prod') {
  const history = new MaintainHistory(backup);
  const { snapshot: full } = await history.take('full', [A], [{ ...A, content: 'changed' }]);
  const { snapshot: incremental } = await history.take('incremental', [{ path: 'conf', content: 'x' }]);
  return { history, full, incremental };
}

describe('a repair', () => {
  it('takes delete markers off parts that a snapshot names, also of an older snapshot’s', async () => {
    const { history, full } = await two();
    const { vault } = history.world;
    const key = partKey('prod', full, 1, 'tom-0/a');
    await vault.delete(key);
    await vault.delete(key);
    const report = await history.maintain({ action: 'repair' }, { shouldStop: impatient(), invoked: 'twice' });
    expect(report).toMatchObject({ markers: 2, frees: { parts: 0 }, catalogObjects: 0 });
    expect(report.next).toContain('Verify again (present)');
    await history.assertRestores();
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 0 });
  });

  it('takes them off parts whose keys are not natural', async () => {
    const { history, full } = await two('held');
    const { vault } = history.world;
    const key = vault.keys().find((each) => each.startsWith(`held/${full}/.rewritten/`)) ?? '';
    await vault.delete(key);
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 1 });
    await history.assertRestores();
  });

  it('brings back a record that vanished from the catalog', async () => {
    const { history, full, incremental } = await two();
    await history.world.vault.delete(recordKey('prod', incremental));
    expect(await history.visible()).toHaveLength(1);
    const report = await history.maintain({ action: 'repair', snapshot: incremental });
    expect(report).toMatchObject({ markers: 1 });
    expect(report.next).toContain(`The catalog of ${incremental} cannot be read yet: repair once more`);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([full, incremental]);
    await history.assertRestores();
  });

  it('brings back ranks and manifests first, and the parts that they name the second time', async () => {
    const { history, full, incremental } = await two();
    const { vault } = history.world;
    await vault.delete(ranksKey('prod', incremental));
    await vault.delete(manifestKey('prod', full, 1));
    await vault.delete(partKey('prod', full, 1, 'tom-0/a'));
    const first = await history.maintain({ action: 'repair' });
    expect(first).toMatchObject({ markers: 2 });
    expect(first.next).toContain(`The catalog of ${incremental} cannot be read yet`);
    expect(first.next).toContain('1 manifests could not be read: repair once more');
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 1 });
    await history.assertRestores();
  });

  it('goes on beside a manifest that is damaged', async () => {
    const { history, full } = await two();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(manifestKey('prod', full, 0)), { body: Buffer.from('no gzip') });
    await vault.delete(partKey('prod', full, 1, 'tom-0/a'));
    const report = await history.maintain({ action: 'repair' });
    expect(report).toMatchObject({ markers: 1 });
    expect(report.next).toContain('1 manifests could not be read');
  });

  it('leaves another version that lies over a named one, and says so', async () => {
    const { history, full } = await two();
    const { vault } = history.world;
    const key = partKey('prod', full, 1, 'tom-0/a');
    await vault.put(key, Buffer.from('a stranger'));
    await vault.delete(key);
    const before = await history.world.partsOf(full);
    const report = await history.maintain({ action: 'repair' });
    expect(report).toMatchObject({ markers: 0 });
    expect(report.next).toContain('1 versions that are named lie under other versions');
    expect(await history.world.partsOf(full)).toEqual(before);
  });

  it('leaves delete markers over what nothing names, and markers below', async () => {
    const { history, full } = await two();
    const { vault } = history.world;
    const stray = partKey('prod', full, 1, 'stray');
    await vault.create(stray, Buffer.from('stray'));
    await vault.delete(stray);
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 0 });
  });

  it('works in a frozen backup: it takes nothing away but delete markers', async () => {
    const { history, full } = await two();
    await history.maintain({ action: 'freeze' });
    await history.world.vault.delete(partKey('prod', full, 1, 'tom-0/a'));
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 1 });
    await history.assertRestores();
  });

  it('of one snapshot leaves the others alone', async () => {
    const { history, full, incremental } = await two();
    await history.take('full');
    const { vault } = history.world;
    await vault.delete(partKey('prod', incremental, 'cluster', 'conf'));
    expect(await history.maintain({ action: 'repair', snapshot: full })).toMatchObject({ markers: 0 });
    expect(await history.maintain({ action: 'repair', snapshot: incremental })).toMatchObject({ markers: 1 });
    await history.assertRestores();
  });

  it('does not bring back what was hidden', async () => {
    const { history, full } = await two();
    await history.maintain({ action: 'purge', snapshot: full });
    await history.world.vault.delete(recordKey('prod', full));
    await expect(history.world.maintain({ action: 'repair', snapshot: full })).rejects.toThrow(SnapshotNotFound);
    expect(await history.maintain({ action: 'repair' })).toMatchObject({ markers: 0 });
  });
});

describe('a record under a delete marker', () => {
  it('stops every deletion until it is repaired', async () => {
    const { history, full, incremental } = await two();
    await history.world.vault.delete(recordKey('prod', incremental));
    const purging = history.world.maintain({ action: 'purge', snapshot: full, immediately: true });
    await expect(purging).rejects.toThrow(CatalogCorrupt);
    await history.maintain({ action: 'repair' });
    await history.maintain({ action: 'purge', snapshot: full, immediately: true });
    await history.assertRestores();
  });

  it('of a hidden snapshot in its window stops them too', async () => {
    const { history, full, incremental } = await two();
    await history.maintain({ action: 'purge', snapshot: incremental });
    await history.world.vault.delete(recordKey('prod', incremental));
    await expect(history.world.maintain({ action: 'purge', snapshot: full, immediately: true })).rejects.toThrow(
      CatalogCorrupt,
    );
  });
});
