import { describe, expect, it } from 'vitest';
import { BackupFrozen, CatalogCorrupt, RecordMissing } from '../../../core/errors.ts';
import { planDeletions } from '../../../core/jobs/plan-deletions.ts';
import { readStamps } from '../../../core/maintain/stamps.ts';
import { maintainRunSchema } from '../../../core/run.ts';
import { manifestKey, partKey, recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { always } from '../../support/job-world.ts';
import { comparable, MaintainHistory } from '../../support/maintain-history.ts';

const DAY = 24 * 3_600_000;

async function full(paths = ['conf']) {
  const history = new MaintainHistory();
  const { snapshot } = await history.take(
    'full',
    paths.map((path) => ({ path, content: 'x' })),
  );
  await history.take('full');
  return { history, world: history.world, snapshot, purge: { action: 'purge' as const, snapshot, immediately: true } };
}

async function stampsOf({ world }: MaintainHistory, ...directories: string[]) {
  return Object.fromEntries(await readStamps(world.work, 'prod', new Set(directories)));
}

describe('deleting versions', () => {
  it('deletes the record before any byte goes', async () => {
    const { world, snapshot, purge } = await full();
    const gone: string[] = [];
    world.vault.before('deleteVersions', '', async () => gone.push('first'));
    world.vault.before('deleteVersions', `/${snapshot}/`, async () => {
      expect((await world.everything()).some(({ key }) => key === recordKey('prod', snapshot))).toBe(false);
      gone.push('bytes');
    });
    await world.maintain(purge);
    expect(gone).toEqual(['first', 'bytes']);
  });

  it('deletes every version of the record, also one that lies under a delete marker', async () => {
    const { world, snapshot, purge } = await full();
    const middle = { survey: () => world.vault.delete(recordKey('prod', snapshot)) };
    expect(await world.maintain(purge, { before: middle })).toMatchObject({ catalogObjects: 7 });
    expect((await world.everything()).some(({ key }) => key === recordKey('prod', snapshot))).toBe(false);
  });

  it('reports what S3 keeps locked, with the latest date, and deletes the rest', async () => {
    const { history, world, snapshot, purge } = await full(['conf', 'b', 'c']);
    const until = world.clock.nowEpochMillis() + 3 * DAY;
    for (const [index, path] of ['conf', 'b'].entries()) {
      const name = world.vault.currentVersion(partKey('prod', snapshot, 'cluster', path));
      world.vault.damage(name, { lockedUntilEpochMillis: until + index * DAY });
    }
    const report = await world.maintain(purge);
    const date = new Date(until + DAY).toISOString();
    expect(report).toMatchObject({ frees: { parts: 3, bytes: 13 }, locked: { parts: 2, bytes: 2, until: date } });
    expect(report.next).toBe(
      `What is locked can be deleted after ${date}: the first expire or collect after that does it.`,
    );
    expect(await stampsOf(history, snapshot)).toMatchObject({ [snapshot]: { referrers: [], lockedUntil: date } });
    expect(await world.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 0 }, locked: { parts: 0 } });
    world.advanceDays(5);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 2 }, locked: { parts: 0 } });
    expect(await world.partsOf(snapshot)).toEqual([]);
  });

  it('reports a legal hold, which has no date', async () => {
    const { history, world, snapshot, purge } = await full();
    const name = world.vault.currentVersion(partKey('prod', snapshot, 'cluster', 'conf'));
    world.vault.damage(name, { legalHold: true });
    const report = await world.maintain(purge);
    expect(report.locked).toEqual({ parts: 1, bytes: 1 });
    expect(report.next).toContain('until somebody takes the hold off');
    expect(await world.maintain({ action: 'expire' })).toMatchObject({ locked: { parts: 0 } });
    world.vault.damage(name, { legalHold: false });
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 1 } });
  });

  it('leaves everything of a directory whose record S3 would not delete', async () => {
    const { history, world, snapshot, purge } = await full();
    const until = world.clock.nowEpochMillis() + DAY;
    world.vault.damage(world.vault.currentVersion(recordKey('prod', snapshot)), { lockedUntilEpochMillis: until });
    const before = (await world.everything()).length;
    const report = await world.maintain(purge, { invoked: 'twice' });
    const date = new Date(until).toISOString();
    expect(report).toMatchObject({ frees: { parts: 0 }, catalogObjects: 0, locked: { parts: 3, until: date } });
    expect(await world.partsOf(snapshot)).toHaveLength(3);
    // A tombstone and a record of the run more.
    expect((await world.everything()).length).toBe(before + 2);
    world.advanceDays(2);
    expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 3 }, catalogObjects: 6 });
  });

  it('stops after any request and goes on where it was', async () => {
    const { history, world, snapshot, purge } = await full();
    for (let index = 0; index < 2500; index += 1) {
      await world.vault.create(`prod/${snapshot}/rank-0/z${index}`, new Uint8Array(2));
    }
    const name = world.vault.currentVersion(`prod/${snapshot}/rank-0/z0`);
    world.vault.damage(name, { legalHold: true });
    const planned = await world.maintain({ ...purge, dryRun: true });
    const answer = await world.planMaintenance(purge);
    const run = maintainRunSchema.parse(answer.outcome === 'planned' ? answer.run : undefined);
    const report = await world.carryOut(run, {
      before: { delete: () => world.deleteAll(run, { shouldStop: always, invoked: 'twice' }) },
    });
    expect(planned.frees).toEqual({ parts: 2503, bytes: 5013 });
    expect(report).toMatchObject({ frees: { parts: 2502, bytes: 5011 }, locked: { parts: 1, bytes: 2 } });
    expect(await world.partsOf(snapshot)).toEqual([name.key]);
    await history.assertRestores();
  });

  it('stops when the backup is frozen meanwhile, wherever it is, and goes on when it is thawed', async () => {
    for (const state of ['planDeletions', 'delete'] as const) {
      const { history, world, snapshot, purge } = await full();
      const freezing = { [state]: () => world.maintain({ action: 'freeze', reason: 'an incident' }) };
      await expect(world.maintain(purge, { before: freezing })).rejects.toThrow(BackupFrozen);
      expect((await world.vault.head(recordKey('prod', snapshot))) === undefined).toBe(state === 'delete');
      expect(await world.partsOf(snapshot)).toHaveLength(3);
      await world.maintain({ action: 'thaw' });
      expect(await history.maintain({ action: 'collect' })).toMatchObject({ frees: { parts: 3 } });
    }
  });

  it('deletes nothing of what came back into the catalog behind its back', async () => {
    const { world, snapshot, purge } = await full();
    const middle = { planDeletions: () => world.vault.delete(tombstoneKey('prod', snapshot)) };
    const purging = world.maintain(purge, { before: middle });
    await expect(purging).rejects.toThrow(CatalogCorrupt);
    expect(await world.partsOf(snapshot)).toHaveLength(3);
  });

  it('does not begin before every directory is surveyed', async () => {
    const { world, purge } = await full();
    const answer = await world.planMaintenance(purge);
    const run = maintainRunSchema.parse(answer.outcome === 'planned' ? answer.run : undefined);
    await expect(planDeletions(world.stepsOf(run), run)).rejects.toThrow(RecordMissing);
  });
});

describe('a directory that is locked by its record', () => {
  const objectLock = { mode: 'GOVERNANCE' as const, retainDays: 5, chainDays: 1 };

  async function locked() {
    const history = new MaintainHistory('prod', { objectLock });
    const { world } = history;
    world.vault.lockedUntil = () => world.clock.nowEpochMillis() + 6 * DAY;
    const first = await history.take('full', [{ path: 'conf', content: 'x' }]);
    world.vault.lockedUntil = () => undefined;
    await history.take('full');
    return { history, world, first };
  }

  it('is counted and not touched until its date, and then goes', async () => {
    const { history, world, first } = await locked();
    expect(first.lock).toBeDefined();
    const before = await world.partsOf(first.snapshot);
    const report = await history.maintain({ action: 'purge', snapshot: first.snapshot, immediately: true });
    const until = first.lock?.latest;
    expect(report).toMatchObject({ frees: { parts: 0 }, catalogObjects: 0, locked: { parts: 3, bytes: 13, until } });
    expect(await world.partsOf(first.snapshot)).toEqual(before);
    expect(await world.vault.head(recordKey('prod', first.snapshot))).toBeDefined();
    expect(await world.vault.head(manifestKey('prod', first.snapshot, 0))).toBeDefined();
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ locked: { parts: 0 } });
    world.advanceDays(7);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 3 }, catalogObjects: 6 });
  });

  it('keeps its record with its bytes, also where S3 would let it go', async () => {
    const { history, world, first } = await locked();
    const record = world.vault.currentVersion(recordKey('prod', first.snapshot));
    world.vault.damage(record, { lockedUntilEpochMillis: undefined });
    await history.maintain({ action: 'purge', snapshot: first.snapshot, immediately: true });
    expect(await world.vault.head(record.key)).toBeDefined();
  });

  it('frees nothing that a snapshot names, when its date has come', async () => {
    const { history, world, first } = await locked();
    await history.maintain({ action: 'pin', snapshot: 'latest' });
    const second = await history.take('incremental', [{ path: 'conf', content: 'y' }]);
    const report = await history.maintain({ action: 'purge', snapshot: first.snapshot, immediately: true });
    expect([second.base === first.snapshot, report.residue.parts]).toEqual([false, 0]);
    world.advanceDays(7);
    await history.maintain({ action: 'collect' });
    await history.assertRestores();
  });
});

describe('a sweep', () => {
  it('is not done again while everything that decided it is kept, and is when that goes', async () => {
    const history = new MaintainHistory();
    const { world } = history;
    const first = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const second = await history.take('incremental', [{ path: 'rank-0/anchor', content: 'y' }]);
    const third = await history.take('incremental', [{ path: 'rank-1/anchor', content: 'z' }]);
    await history.maintain({ action: 'purge', snapshot: first.snapshot, immediately: true });
    expect(await stampsOf(history, first.snapshot)).toMatchObject({
      [first.snapshot]: { referrers: [second.snapshot] },
    });
    const idle = await world.planMaintenance({ action: 'expire' });
    expect(idle).toMatchObject({ outcome: 'finished' });
    // Not decisive: what it names, its base names too.
    await history.maintain({ action: 'purge', snapshot: third.snapshot, immediately: true });
    expect(await world.partsOf(first.snapshot)).toHaveLength(2);
    const report = await history.maintain({ action: 'purge', snapshot: second.snapshot, immediately: true });
    expect(report).toMatchObject({ frees: { parts: 3 }, residue: { parts: 0 } });
    expect(await world.partsOf(first.snapshot)).toEqual([]);
  });

  it('that died is done by the next run', async () => {
    const { history, world, snapshot, purge } = await full();
    await world.planMaintenance(purge);
    expect(await world.partsOf(snapshot)).toHaveLength(3);
    const planned = await world.maintain({ action: 'expire', dryRun: true });
    const report = await world.maintain({ action: 'expire' }, { minutes: 0 });
    expect(comparable(report)).toEqual(comparable(planned));
    expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 3 }, catalogObjects: 6 });
    await history.assertRestores();
  });

  it('whose stamp cannot be read is done again', async () => {
    const history = new MaintainHistory();
    const first = await history.take('full', [{ path: 'conf', content: 'x' }]);
    await history.take('incremental');
    await history.maintain({ action: 'purge', snapshot: first.snapshot, immediately: true });
    await history.world.work.put(`swept/prod/${first.snapshot}.json`, Buffer.from('{}'));
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ residue: { parts: 3 } });
    expect(await history.world.planMaintenance({ action: 'expire' })).toMatchObject({ outcome: 'finished' });
  });
});
