import { describe, expect, test } from 'vitest';
import { journey, take } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, threeDays, tryThenDo } from './support/keeping-life.ts';
import { expectFailure } from './support/outcomes.ts';
import { expectNothingLeftOver, storedBelow } from './support/vault-contents.ts';

describe('drop', () => {
  test('takes a backup away, to the last byte', async () => {
    const { life } = await threeDays();
    expect(await tryThenDo(life, 'drop', { immediately: true })).toMatchObject({
      hiddenCount: 3,
      residue: { parts: 0 },
    });
    for (const { snapshot } of life.oracle.visible) {
      life.oracle.hide(snapshot, 0);
    }
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, []);
    expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'full' });
  });

  test('by a pattern, or all, takes only who says so twice', async () => {
    const world = journey.laptop.s3.checkpoint();
    const lives = [await beginLife(take('brief')), await beginLife(take('brief'))];
    const other = await beginLife();
    for (const life of [...lives, other]) {
      await life.day('full');
    }
    for (const backup of ['brief*', '*']) {
      expectFailure(await journey.tryMaintain({ backup }, 'drop', { immediately: true }), {
        error: 'InputInvalid',
        problem: /is a pattern; to drop every backup that it fits, say 'deleteAllBackups': true/,
        hint: /Start it again with an input like/,
      });
    }
    for (const backup of ['', '**', 'a*b', '?']) {
      expectFailure(await journey.tryMaintain({ backup }, 'drop', { deleteAllBackups: true }), {
        error: 'InputInvalid',
        problem: /backup/,
        hint: /Start it again with an input like/,
      });
    }
    const { report } = await journey.maintain({ backup: 'brief*' }, 'drop', {
      deleteAllBackups: true,
      immediately: true,
    });
    expect(report.hidden.map(({ backup }) => backup)).toEqual(lives.map(({ backup }) => backup));
    for (const life of lives) {
      await expectNothingLeftOver(journey.laptop, life.backup, []);
    }
    await other.oracle.expectAllThere();
    // What other tests have hidden is not in its window any more.
    journey.laptop.clock.jump(8 * DAY_MILLIS);
    const all = await journey.maintain({ backup: '*' }, 'drop', { deleteAllBackups: true, immediately: true });
    expect(all.report.hidden).toContainEqual(expect.objectContaining({ backup: other.backup }));
    const left = (await storedBelow(journey.laptop, '')).filter(({ key }) => !key.startsWith('.rankvault/'));
    expect({ left, next: all.report.next }).toEqual({ left: [], next: expect.any(String) });
    world.restore();
    world.release();
  });
});

describe('expire', () => {
  test('starts by itself after each snapshot, keeps what retention has a reason for, and says so', async () => {
    const life = await beginLife(take('brief'));
    const old = [await life.day('full'), await life.day('incremental', ['a'])];
    journey.laptop.clock.jump(2 * DAY_MILLIS);
    const full = await life.day('full', ['b']);
    // The day before began with the incremental, and that builds on the full.
    await life.oracle.expectKept();
    journey.laptop.clock.jump(2 * DAY_MILLIS);
    const newest = await life.day('full', ['c']);
    for (const snapshot of old) {
      life.oracle.hide(snapshot, 0);
    }
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, [full, newest]);
    const { report } = await journey.maintain(life, 'expire', { dryRun: true });
    expect(report.kept).toEqual([
      { snapshot: full, reasons: [expect.stringContaining('began with')] },
      { snapshot: newest, reasons: expect.arrayContaining(['the newest good snapshot']) },
    ]);
    const started = journey.laptop.runtime.list({ stateMachineArn: journey.laptop.machineArn('Maintain') });
    expect(started.map(({ input }) => input)).toContainEqual(
      expect.objectContaining({ action: 'expire', backup: life.backup, after: newest }),
    );
  });

  test('counts no merged full as a real one, and takes nobody who was taken out of the configuration', async () => {
    const life = await beginLife(take('brief'));
    const full = await life.day('full');
    const { report } = await journey.maintain(life, 'merge', { snapshot: await life.day('incremental', ['a']) });
    const merged = report.merged?.snapshot ?? '';
    life.oracle.merge(merged, life.oracle.visible, 0);
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, [merged]);
    expect(await life.oracle.snapshot('full')).not.toMatchObject({ snapshot: full });
    journey.laptop.clock.jump(3 * DAY_MILLIS);
    const plan = await journey.maintain(life, 'expire', { dryRun: true });
    expect(plan.report.kept?.map(({ snapshot }) => snapshot)).toEqual([life.oracle.newest().snapshot]);
    expectFailure(await journey.tryMaintain({ backup: 'nobody' }, 'expire'), {
      error: 'BackupNotFound',
      problem: /The configuration has no backup 'nobody'/,
      hint: /can be purged or dropped/,
    });
  });
});
