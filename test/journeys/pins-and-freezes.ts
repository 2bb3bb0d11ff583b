import { describe, expect, test } from 'vitest';
import { journey } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, tryThenDo, twoDays } from './support/keeping-life.ts';
import { expectFailure } from './support/outcomes.ts';
import { storedBelow } from './support/vault-contents.ts';

describe('pin, unpin, freeze and thaw', () => {
  test('a pinned snapshot is neither purged nor dropped, and goes when it is unpinned', async () => {
    const { life, full } = await twoDays();
    await tryThenDo(life, 'pin', { snapshot: full, reason: 'Before the migration' });
    for (const [action, more] of [
      ['purge', { snapshot: full, immediately: true }],
      ['drop', { immediately: true }],
    ] as const) {
      expectFailure(await journey.tryMaintain(life, action, more), {
        error: 'SnapshotPinned',
        problem: /Pinned: .*Before the migration/,
        hint: /"action":"unpin"/,
      });
    }
    await life.oracle.expectKept();
    await tryThenDo(life, 'unpin', { snapshot: full });
    await tryThenDo(life, 'purge', { snapshot: full, immediately: true });
    life.oracle.hide(full, 0);
    await life.oracle.expectAllThere();
  });

  test('of a frozen backup nothing is hidden and nothing is deleted, also what was due, until it is thawed', async () => {
    const life = await beginLife();
    const [full, other] = [await life.day('full'), await life.day('full')];
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    await tryThenDo(life, 'freeze', { reason: 'An audit' });
    journey.laptop.clock.jump(8 * DAY_MILLIS);
    const untouched = await storedBelow(journey.laptop, `${life.backup}/`);
    for (const [action, more] of [
      ['purge', { snapshot: other, immediately: true }],
      ['drop', {}],
      ['merge', {}],
    ] as const) {
      expectFailure(await journey.tryMaintain(life, action, more), {
        error: 'BackupFrozen',
        problem: /is frozen since .*An audit/,
        hint: /"action":"thaw"/,
      });
    }
    for (const action of ['expire', 'collect']) {
      const { report } = await journey.maintain(life, action);
      expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 0 }, next: expect.stringContaining('is frozen') });
    }
    expect(await storedBelow(journey.laptop, `${life.backup}/`)).toEqual(untouched);
    await tryThenDo(life, 'thaw');
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 4 } });
    await life.oracle.expectAllThere();
  });
});
