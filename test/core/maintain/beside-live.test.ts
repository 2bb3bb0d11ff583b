import { describe, expect, it } from 'vitest';
import { partKey } from '../../../core/vault-layout.ts';
import { impatient, MaintainHistory } from '../../support/maintain-history.ts';

const A = { path: 'rank-1/tom-0/a', content: 'a' };

async function old(backup: 'prod' | 'held' = 'prod') {
  const history = new MaintainHistory(backup);
  const { snapshot } = await history.take('full', [A], [{ ...A, content: 'changed while copying' }]);
  history.world.advanceDays(3);
  return { history, snapshot, key: partKey(backup, snapshot, 1, 'tom-0/a'), vault: history.world.vault };
}

describe('collecting beside a live snapshot', () => {
  it('keeps what somebody uploaded again in the place of a version that is lost', async () => {
    const { history, key, vault } = await old();
    await vault.deleteVersions([vault.currentVersion(key)]);
    await vault.put(key, Buffer.from('changed while copying'));
    const way = { shouldStop: impatient(), invoked: 'twice' as const };
    const report = await history.maintain({ action: 'collect' }, way);
    expect(report.frees).toEqual({ parts: 0, bytes: 0 });
    expect(report.next).toMatch(/^\d versions or delete markers stay that nothing names, .* look at them by hand\.$/);
    expect((await history.world.everything()).some((each) => each.key === key && each.isLatest)).toBe(true);
  });

  it('keeps delete markers and versions that lie over a named one', async () => {
    const { history, key, vault } = await old();
    await vault.put(key, Buffer.from('over it'));
    await vault.delete(key);
    const before = await history.world.everything();
    const report = await history.maintain({ action: 'collect' });
    expect(report).toMatchObject({ frees: { parts: 0 }, markers: 0 });
    expect(await history.world.everything()).toEqual(before);
  });

  it('does so under keys that are not natural', async () => {
    const { history, snapshot, vault } = await old('held');
    const key = vault.keys().find((each) => each.startsWith(`held/${snapshot}/.rewritten/`)) ?? '';
    await vault.deleteVersions([vault.currentVersion(key)]);
    await vault.put(key, Buffer.from('again'));
    const report = await history.maintain({ action: 'collect' }, { shouldStop: impatient() });
    // The copy of the warm pass, of which nobody names the key, goes.
    expect(report).toMatchObject({ frees: { parts: 1, bytes: 1 } });
    expect(report.next).toContain('1 versions or delete markers stay');
    expect(vault.currentVersion(key)).toBeDefined();
  });
});
