import { describe, expect, it } from 'vitest';
import {
  BackupFrozen,
  BackupNotFound,
  CatalogCorrupt,
  FormatTooNew,
  InputInvalid,
  SnapshotNotFound,
  SnapshotPinned,
} from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { tombstoneSchema } from '../../../core/records.ts';
import { readJson } from '../../../core/stored-json.ts';
import { recordKey, tombstoneKey, verificationKey } from '../../../core/vault-layout.ts';
import { NOTHING_VERIFIED } from '../../../core/verification.ts';
import { impatient, MaintainHistory } from '../../support/maintain-history.ts';

const CONF = { path: 'conf', content: 'x' };
const A = { path: 'rank-1/tom-0/a', content: 'aaaa' };

/** A full of four files, an incremental that changed one of them. */
async function chain(): Promise<{ history: MaintainHistory; full: string; incremental: string }> {
  const history = new MaintainHistory();
  const { snapshot: full } = await history.take('full', [CONF, A]);
  const { snapshot: incremental } = await history.take('incremental', [{ ...A, content: 'bb' }]);
  return { history, full, incremental };
}

describe('a purge', () => {
  it('hides the snapshot at once, and keeps its bytes as long as it may be undeleted', async () => {
    const { history, full, incremental } = await chain();
    const before = await history.world.partsOf(full);
    const report = await history.maintain({ action: 'purge', snapshot: full, reason: 'not wanted' });
    expect(report).toMatchObject({
      hidden: [{ backup: 'prod', snapshot: full, reason: 'not wanted' }],
      hiddenCount: 1,
      frees: { parts: 0, bytes: 0 },
      later: { parts: 1, bytes: 4, residue: { parts: 3, bytes: 13, for: [incremental] } },
    });
    expect(report.next).toContain(`can be undeleted until ${report.hidden[0]?.bytesKeptUntil} at least`);
    expect(await history.world.partsOf(full)).toEqual(before);
    expect((await history.visible()).map(({ snapshot }) => snapshot)).toEqual([incremental]);
    const tombstone = await readJson(history.world.vault, tombstoneKey('prod', full), tombstoneSchema);
    expect(tombstone?.value).toMatchObject({ action: 'purge', record: { type: 'full', totals: { parts: 4 } } });
    await history.assertRestores();
  });

  it('immediately frees what nothing names, and keeps the residue of what builds on it', async () => {
    const { history, full, incremental } = await chain();
    const report = await history.maintain({ action: 'purge', snapshot: full, immediately: true });
    expect(report).toMatchObject({
      frees: { parts: 1, bytes: 4 },
      residue: { parts: 3, bytes: 13, for: [incremental] },
      catalogObjects: 6,
    });
    expect(report.later).toBeUndefined();
    expect(await history.world.partsOf(full)).toEqual([
      `prod/${full}/cluster/conf`,
      `prod/${full}/rank-0/anchor`,
      `prod/${full}/rank-1/anchor`,
    ]);
    await history.assertRestores();
  });

  it('frees residue when the last snapshot that names it goes', async () => {
    const { history, full, incremental } = await chain();
    await history.maintain({ action: 'purge', snapshot: full, immediately: true });
    const report = await history.maintain({ action: 'purge', snapshot: incremental, immediately: true });
    expect(report).toMatchObject({ frees: { parts: 4, bytes: 15 }, residue: { parts: 0, for: [] } });
    expect(report.next).toBe("No good snapshot of 'prod' is left: take a full now.");
    const left = (await history.world.everything()).map(({ key }) => key);
    expect(left.filter((key) => !/\/(tombstones|definitions|maintenance)\//.test(key))).toEqual([]);
  });

  it('frees a middle link alone, and the chain still restores', async () => {
    const { history, incremental } = await chain();
    await history.take('incremental', [{ ...A, content: 'ccc' }]);
    const report = await history.maintain({ action: 'purge', snapshot: incremental, immediately: true });
    expect(report).toMatchObject({ frees: { parts: 1, bytes: 2 }, residue: { parts: 0 } });
    await history.assertRestores();
  });

  it('takes an id as well as a directory', async () => {
    const { history, incremental } = await chain();
    const id = (await history.visible()).at(-1)?.id ?? '';
    expect(await history.maintain({ action: 'purge', snapshot: id })).toMatchObject({
      hidden: [{ snapshot: incremental }],
    });
  });

  it('of what is hidden already is no error, says so, and goes on with what is due', async () => {
    const { history, incremental } = await chain();
    await history.maintain({ action: 'purge', snapshot: incremental });
    const again = await history.maintain({ action: 'purge', snapshot: incremental, immediately: true });
    expect(again).toMatchObject({ hiddenCount: 0, frees: { parts: 0 } });
    expect(again.next).toContain(`${incremental} was hidden before, by 'purge' of execution maintain-2 at`);
    expect(again.next).toContain(`To free it now: undelete it, then purge it with "immediately".`);
    history.world.advanceDays(4);
    const due = await history.maintain({ action: 'purge', snapshot: incremental });
    expect(due).toMatchObject({ hiddenCount: 0, frees: { parts: 1, bytes: 2 }, catalogObjects: 6 });
    const gone = await history.maintain({ action: 'purge', snapshot: incremental });
    expect(gone.next).toBe(`${incremental} was removed before, and nothing of it is left.`);
  });

  it('goes on with the tombstone that an earlier try of the same execution wrote', async () => {
    const { history, full } = await chain();
    const { world } = history;
    const input = { action: 'purge' as const, snapshot: full, immediately: true };
    world.work.before('create', 'sweep/', () => Promise.reject(new Error('killed')));
    await expect(world.maintain(input, { execution: 'one' })).rejects.toThrow('killed');
    expect(await world.vault.head(tombstoneKey('prod', full))).toBeDefined();
    const report = await world.maintain(input, { execution: 'one', minutes: 0 });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 1, bytes: 4 } });
    expect(report.next).not.toContain('hidden before');
  });

  it('leaves a record of the run in the catalog, and a dry run leaves nothing in the vault', async () => {
    const { history, full } = await chain();
    const { world } = history;
    const before = await world.everything();
    await world.maintain({ action: 'purge', snapshot: full, immediately: true, dryRun: true });
    expect(await world.everything()).toEqual(before);
    await world.maintain({ action: 'purge', snapshot: full, immediately: true });
    const records = world.vault.keys().filter((key) => key.includes('/maintenance/'));
    expect(records).toEqual([
      expect.stringMatching(/prod\/maintenance\/20260131T220400\.000Z-purge-[0-9a-f]{8}\.json$/),
    ]);
  });

  it('stopped anywhere, called twice, or beside its ghost reports and leaves the same', async () => {
    const ways = [
      {},
      { shouldStop: impatient() },
      { invoked: 'twice' as const },
      { invoked: 'beside its ghost' as const, shouldStop: impatient() },
    ];
    const outcomes = [];
    for (const way of ways) {
      const { history, full } = await chain();
      const report = await history.maintain({ action: 'purge', snapshot: full, immediately: true }, way);
      outcomes.push({ report, left: (await history.world.everything()).map(({ key }) => key) });
      await history.assertRestores();
    }
    expect(outcomes.slice(1)).toEqual([outcomes[0], outcomes[0], outcomes[0]]);
  });

  it('of the last one without damage says that none is left', async () => {
    const { history, full, incremental } = await chain();
    const open = [
      { snapshot: full, level: 'present', severity: 'damage', kinds: {}, example: 'x', since: 's', verification: 'v' },
    ];
    const verification = {
      formatVersion: 1,
      id: 'v',
      backup: 'prod',
      level: 'present',
      scope: 'all',
      execution: 'v',
      executionArn: 'arn:v',
      startedAt: 's',
      finishedAt: 'f',
      checked: { parts: 0, bytes: 0 },
      snapshots: [],
      findings: {},
      state: { ...NOTHING_VERIFIED, open },
    };
    await history.world.vault.create(verificationKey('prod', 'v'), jsonBytes(verification));
    const report = await history.maintain({ action: 'purge', snapshot: incremental });
    expect(report.next).toContain("No good snapshot of 'prod' is left");
  });
});

describe('a purge is refused', () => {
  it('of a snapshot that does not exist, naming those that do', async () => {
    const { history, incremental } = await chain();
    const purging = history.world.maintain({ action: 'purge', snapshot: 'snapshot.2020-01-01.00-00-00' });
    await expect(purging).rejects.toThrow(SnapshotNotFound);
    await expect(purging).rejects.toThrow(incremental);
  });

  it('of a pinned snapshot, until it is unpinned', async () => {
    const { history, full } = await chain();
    await history.maintain({ action: 'pin', snapshot: full, reason: 'for the auditors' });
    const purging = history.world.maintain({ action: 'purge', snapshot: full });
    await expect(purging).rejects.toThrow(SnapshotPinned);
    await expect(purging).rejects.toThrow(
      '(for the auditors). Nothing was hidden. Start Maintain with {"action":"unpin"',
    );
    await history.maintain({ action: 'unpin', snapshot: full });
    expect(await history.maintain({ action: 'purge', snapshot: full })).toMatchObject({ hiddenCount: 1 });
  });

  it('in a frozen backup, until it is thawed', async () => {
    const { history, full } = await chain();
    await history.maintain({ action: 'freeze', reason: 'an incident' });
    await expect(history.world.maintain({ action: 'purge', snapshot: full })).rejects.toThrow(BackupFrozen);
    expect(await history.visible()).toHaveLength(2);
    await history.maintain({ action: 'thaw' });
    expect(await history.maintain({ action: 'purge', snapshot: full })).toMatchObject({ hiddenCount: 1 });
  });

  it('in a backup that neither vault nor configuration has', async () => {
    const { history, full } = await chain();
    const purging = history.world.maintain({ action: 'purge', backup: 'other', snapshot: full });
    await expect(purging).rejects.toThrow(BackupNotFound);
    await expect(purging).rejects.toThrow('It has prod.');
  });

  it('beside a record that nobody can read, before anything is hidden', async () => {
    const { history, full, incremental } = await chain();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(recordKey('prod', incremental)), { body: Buffer.from('{}') });
    await expect(history.world.maintain({ action: 'purge', snapshot: full })).rejects.toThrow(CatalogCorrupt);
    expect(await vault.head(tombstoneKey('prod', full))).toBeUndefined();
  });

  it('beside a record of a newer format', async () => {
    const { history, full, incremental } = await chain();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(recordKey('prod', incremental)), { body: Buffer.from('{"formatVersion":2}') });
    await expect(history.world.maintain({ action: 'purge', snapshot: full })).rejects.toThrow(FormatTooNew);
    expect(await vault.head(tombstoneKey('prod', full))).toBeUndefined();
  });

  it('beside a tombstone that says another name than its key', async () => {
    const { history, full, incremental } = await chain();
    const { vault } = history.world;
    await history.maintain({ action: 'purge', snapshot: incremental });
    const key = tombstoneKey('prod', incremental);
    const body = (await readJson(vault, key, tombstoneSchema))?.value;
    vault.damage(vault.currentVersion(key), { body: jsonBytes({ ...body, snapshot: full }) });
    await expect(history.world.maintain({ action: 'collect' })).rejects.toThrow(`says that it is of prod/${full}`);
  });

  it.each([
    [{ action: 'purge', backup: 'prod', snapshot: 'latest' }, 'must be an id of 13 digits, or a directory'],
    [{ action: 'purge', backup: 'prod' }, 'snapshot is missing'],
    [{ action: 'remove', backup: 'prod' }, 'action is not one that Rankvault knows'],
    [{ action: 'purge', backup: 'a/b', snapshot: '1769810400000' }, "backup is 'a/b'"],
    [undefined, 'Start it again with an input like {"action":"purge"'],
  ])('with an input that is none: %j', async (input, message) => {
    const { world } = new MaintainHistory();
    const planning = world.planAnything(input);
    await expect(planning).rejects.toThrow(InputInvalid);
    await expect(planning).rejects.toThrow(message);
    expect(world.work.keys()).toEqual([]);
  });
});

describe('a purge of a snapshot whose record cannot be read', () => {
  it('is for good or not at all', async () => {
    const { history, incremental } = await chain();
    const { vault } = history.world;
    vault.damage(vault.currentVersion(recordKey('prod', incremental)), { body: Buffer.from('{}') });
    const purging = history.world.maintain({ action: 'purge', snapshot: incremental });
    await expect(purging).rejects.toThrow(CatalogCorrupt);
    await expect(purging).rejects.toThrow('Or remove it for good, with "immediately": true.');
    const report = await history.maintain({ action: 'purge', snapshot: incremental, immediately: true });
    expect(report).toMatchObject({ hidden: [{ snapshot: incremental }], frees: { parts: 1, bytes: 2 } });
    expect(await history.visible()).toHaveLength(1);
    await history.assertRestores();
  });
});
