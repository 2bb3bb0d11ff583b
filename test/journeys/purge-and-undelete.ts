import { describe, expect, test } from 'vitest';
import { journey } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, threeDays, tryThenDo, twoDays } from './support/keeping-life.ts';
import type { Life } from './support/life.ts';
import { expectFailure } from './support/outcomes.ts';
import { expectNothingLeftOver, storedBelow, wholeVaultOf } from './support/vault-contents.ts';

async function keysBelow(life: Life, snapshot: string): Promise<string[]> {
  const prefix = `${life.backup}/${snapshot}/`;
  return (await storedBelow(journey.laptop, prefix)).map(({ key }) => key.slice(prefix.length));
}

describe('purge', () => {
  test('frees what nobody else names at once, keeps the rest as residue, and frees that when the last one that names it goes', async () => {
    const life = await beginLife();
    const full = await life.day('full');
    const first = await life.day('incremental', ['a']);
    const second = await life.day('incremental', ['b']);
    const report = await tryThenDo(life, 'purge', { snapshot: full, immediately: true });
    life.oracle.hide(full, 0);
    // Its 'a' is nobody else's.
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 1 }, residue: { parts: 3 } });
    expect(report.residue.for).toContain(first);
    expect(await keysBelow(life, full)).toEqual(['rank-0/catalog.mdb', 'rank-1/tom-0/b.seg', 'rank-1/tom-0/c.seg']);
    await life.oracle.expectKept();
    expect(await tryThenDo(life, 'purge', { snapshot: first, immediately: true })).toMatchObject({
      // What the full stored of 'b' was named by the first incremental alone; what that stored itself is named by the second.
      frees: { parts: 1 },
      residue: { parts: 3, for: [second] },
    });
    life.oracle.hide(first, 0);
    await life.oracle.expectKept();
    expect(await tryThenDo(life, 'purge', { snapshot: second, immediately: true })).toMatchObject({
      frees: { parts: 4 },
      residue: { parts: 0, for: [] },
      next: expect.stringContaining('No good snapshot'),
    });
    life.oracle.hide(second, 0);
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, []);
  });

  test('without "immediately" every byte stays for as long as the snapshot may be undeleted, and goes with the next run after that', async () => {
    const life = await beginLife();
    const full = await life.day('full');
    await life.day('full');
    const report = await tryThenDo(life, 'purge', { snapshot: full });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 }, later: { parts: 4 } });
    life.oracle.hide(full, 7);
    expect(await keysBelow(life, full)).toHaveLength(4);
    await life.oracle.expectKept();
    journey.laptop.clock.jump(6 * DAY_MILLIS);
    expect((await journey.maintain(life, 'collect')).report.frees.parts).toBe(0);
    journey.laptop.clock.jump(DAY_MILLIS);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 4 } });
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(
      journey.laptop,
      life.backup,
      life.oracle.visible.map(({ snapshot }) => snapshot),
    );
  });

  test('of what is gone already says so and changes nothing', async () => {
    const { life, full } = await twoDays();
    await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    const { report } = await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 0 }, next: expect.stringContaining(full) });
  });

  test('is refused by name', async () => {
    const { life, full } = await twoDays();
    const untouched = await wholeVaultOf(journey.laptop, life.backup);
    expectFailure(await journey.tryMaintain(life, 'purge', { snapshot: 'snapshot.2001-01-01.00-00-00' }), {
      error: 'SnapshotNotFound',
      problem: /has no snapshot "snapshot\.2001-01-01/,
      hint: /Its newest are snapshot\./,
    });
    // Which one "latest" is may have changed by the time it runs.
    for (const wrong of [{ snapshot: 'latest' }, {}, { snapshot: full, dryrun: true }]) {
      expectFailure(await journey.tryMaintain(life, 'purge', wrong), {
        error: 'InputInvalid',
        problem: /The input of Maintain is not valid/,
        hint: /Start it again with an input like/,
      });
    }
    expectFailure(await journey.tryMaintain({ backup: 'nobody' }, 'purge', { snapshot: full }), {
      error: 'BackupNotFound',
      problem: /The vault has no backup "nobody"/,
      hint: /It has /,
    });
    expect(await wholeVaultOf(journey.laptop, life.backup)).toEqual(untouched);
  });
});

describe('undelete', () => {
  test('brings back what was purged, while every byte of it is there', async () => {
    const { life, full, next } = await twoDays();
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    await life.oracle.expectKept();
    journey.laptop.clock.jump(6 * DAY_MILLIS);
    await tryThenDo(life, 'undelete', { snapshot: full });
    life.oracle.undelete(full);
    await life.oracle.expectKept();
    // It counts again: what builds on it may go, and it stays.
    await journey.maintain(life, 'purge', { snapshot: next, immediately: true });
    life.oracle.hide(next, 0);
    await life.oracle.expectAllThere();
  });

  test('without a name brings back a whole backup that was dropped', async () => {
    const { life } = await twoDays();
    const dropped = life.oracle.visible.map(({ snapshot }) => snapshot);
    expect(await tryThenDo(life, 'drop')).toMatchObject({ hiddenCount: 2, frees: { parts: 0 }, later: { parts: 5 } });
    for (const snapshot of dropped) {
      life.oracle.hide(snapshot, 7);
    }
    await life.oracle.expectKept();
    await tryThenDo(life, 'undelete');
    for (const snapshot of dropped) {
      life.oracle.undelete(snapshot);
    }
    await life.oracle.expectAllThere();
  });

  test('comes too late when the window is over, whether or not the bytes have gone', async () => {
    const { life, full } = await threeDays();
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    journey.laptop.clock.jump(7 * DAY_MILLIS);
    const late = { error: 'UndeleteTooLate', problem: /cannot be undeleted/, hint: /Restore another snapshot/ };
    expectFailure(await journey.tryMaintain(life, 'undelete', { snapshot: full }), late);
    await journey.maintain(life, 'collect');
    expectFailure(await journey.tryMaintain(life, 'undelete', { snapshot: full }), late);
    const { report } = await journey.maintain(life, 'undelete');
    expect(report.next).toContain('Nothing of backup');
    await life.oracle.expectAllThere();
  });
});
