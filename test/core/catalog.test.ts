import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  findNewestRestore,
  findSnapshot,
  newestDirectory,
  readCatalog,
  readDefinition,
  readFreeze,
  readNewestVerification,
  readPins,
  readSnapshots,
  readTombstones,
} from '../../core/catalog.ts';
import { CatalogCorrupt, FormatTooNew, SnapshotNotFound, StoreUnavailable } from '../../core/errors.ts';
import { jsonBytes } from '../../core/format.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import {
  attemptKey,
  definitionKey,
  freezeKey,
  pinKey,
  recordKey,
  restoredKey,
  tombstoneKey,
  verificationKey,
} from '../../core/vault-layout.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { snapshotRecord, tombstone, verification } from '../support/sample-lines.ts';

const directory = (day: number) => `snapshot.2026-01-${day}.22-00-00`;

function record(day: number, change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  const snapshot = directory(day);
  const id = String(Date.UTC(2026, 0, day, 22));
  return snapshotRecord({ snapshot, id, takenAt: new Date(Number(id)).toISOString(), ...change });
}

async function vaultWith(...records: readonly SnapshotRecord[]): Promise<InMemoryObjectStore> {
  const vault = new InMemoryObjectStore();
  for (const each of records) {
    await vault.create(recordKey('prod', each.snapshot), jsonBytes(each));
  }
  return vault;
}

describe('the catalog', () => {
  it('shows what is committed, oldest moment first', async () => {
    const merged = record(13, { takenAt: record(11).takenAt });
    const vault = await vaultWith(record(12), merged, record(11), record(10));
    const shown = (await readSnapshots(vault, 'prod')).map(({ snapshot }) => snapshot);
    expect(shown).toEqual([directory(10), directory(11), directory(13), directory(12)]);
  });

  it('never shows what has a tombstone', async () => {
    const vault = await vaultWith(record(10), record(11));
    await vault.create(tombstoneKey('prod', directory(11)), Buffer.from('whatever it says'));
    expect((await readSnapshots(vault, 'prod')).map(({ snapshot }) => snapshot)).toEqual([directory(10)]);
  });

  it('shows nothing of other backups, nor attempts', async () => {
    const vault = await vaultWith(record(10));
    await vault.create(attemptKey('prod', directory(11)), Buffer.from('{}'));
    expect(await readSnapshots(vault, 'pro')).toEqual([]);
    expect(await readSnapshots(vault, 'prod')).toHaveLength(1);
  });

  it('refuses a record of a newer format, and one that is broken', async () => {
    const vault = new InMemoryObjectStore();
    await vault.put(recordKey('prod', directory(10)), jsonBytes({ ...record(10), formatVersion: 2 }));
    await expect(readSnapshots(vault, 'prod')).rejects.toThrow(FormatTooNew);
    await vault.put(recordKey('prod', directory(10)), Buffer.from('{"formatVersion":1}'));
    await expect(readSnapshots(vault, 'prod')).rejects.toThrow(CatalogCorrupt);
  });

  it('knows the newest directory that was ever claimed, whatever became of it', async () => {
    const vault = await vaultWith(record(10));
    expect(await newestDirectory(vault, 'prod')).toBe(directory(10));
    await vault.create(tombstoneKey('prod', directory(11)), Buffer.from('{}'));
    expect(await newestDirectory(vault, 'prod')).toBe(directory(11));
    await vault.create(attemptKey('prod', directory(12)), Buffer.from('{}'));
    expect(await newestDirectory(vault, 'prod')).toBe(directory(12));
    expect(await newestDirectory(vault, 'other')).toBeUndefined();
  });

  it('has the definition with the greatest number', async () => {
    const vault = new InMemoryObjectStore();
    expect(await readDefinition(vault, 'prod')).toBeUndefined();
    for (const number of [1, 2, 10]) {
      const since = '2026-01-31T22:00:00.000Z';
      await vault.create(
        definitionKey('prod', number),
        jsonBytes({ formatVersion: 1, number, digest: `d${number}`, definition: {}, since }),
      );
    }
    expect(await readDefinition(vault, 'prod')).toMatchObject({ number: 10, digest: 'd10' });
  });

  it('knows the newest restore into a cluster', async () => {
    const vault = new InMemoryObjectStore();
    expect(await findNewestRestore(vault, 'dr')).toBeUndefined();
    for (const day of [11, 10]) {
      const { backup, snapshot, takenAt: startedAt } = record(day);
      const restored = { formatVersion: 1, cluster: 'dr', backup, snapshot, execution: 'r', startedAt };
      await vault.create(restoredKey('dr', Date.parse(startedAt), 'r'), jsonBytes(restored));
    }
    expect(await findNewestRestore(vault, 'dr')).toBe(record(11).takenAt);
  });
});

describe('the catalog beside a broken record', () => {
  it('shows the others, and says which cannot be read', async () => {
    const vault = await vaultWith(record(10), record(12));
    await vault.create(recordKey('prod', directory(11)), Buffer.from('{"formatVersion":1}'));
    const { snapshots, unreadable } = await readCatalog(vault, 'prod');
    expect(snapshots.map(({ snapshot }) => snapshot)).toEqual([directory(10), directory(12)]);
    expect(unreadable).toEqual([{ snapshot: directory(11), error: expect.any(CatalogCorrupt) }]);
  });

  it.each([
    ['another snapshot', record(10)],
    ['another backup', record(11, { backup: 'other' })],
  ])('calls a record broken that is of %s', async (_of, stored) => {
    const vault = new InMemoryObjectStore();
    await vault.create(recordKey('prod', directory(11)), jsonBytes(stored));
    expect((await readCatalog(vault, 'prod')).unreadable.map(({ snapshot }) => snapshot)).toEqual([directory(11)]);
    await expect(readSnapshots(vault, 'prod')).rejects.toThrow(`is the record of ${stored.backup}/${stored.snapshot}`);
  });

  it('does not read what is hidden, and says what of it still has a record', async () => {
    const vault = await vaultWith(record(10), record(12));
    await vault.create(recordKey('prod', directory(11)), Buffer.from('no record'));
    for (const day of [9, 10, 11]) {
      await vault.create(tombstoneKey('prod', directory(day)), Buffer.from('{}'));
    }
    const { snapshots, unreadable, hidden } = await readCatalog(vault, 'prod');
    expect([snapshots.length, unreadable, hidden]).toEqual([1, [], [directory(10), directory(11)]]);
  });

  it('still refuses a newer format, and a store that does not answer', async () => {
    const vault = await vaultWith(record(10));
    vault.get = () => Promise.reject(new StoreUnavailable('S3 is slow.', { hint: 'Wait.' }));
    await expect(readCatalog(vault, 'prod')).rejects.toThrow(StoreUnavailable);
    const newer = new InMemoryObjectStore();
    await newer.put(recordKey('prod', directory(10)), jsonBytes({ ...record(10), formatVersion: 2 }));
    await expect(readCatalog(newer, 'prod')).rejects.toThrow(FormatTooNew);
  });

  it('reads many records at a time, and never more than 16', async () => {
    const vault = await vaultWith(...Array.from({ length: 20 }, (_, index) => record(index + 10)));
    const get = vault.get.bind(vault);
    let [open, most] = [0, 0];
    vault.get = async (key) => {
      open += 1;
      most = Math.max(most, open);
      await setImmediate();
      const object = await get(key);
      open -= 1;
      return object;
    };
    expect(await readSnapshots(vault, 'prod')).toHaveLength(20);
    expect(most).toBe(16);
  });
});

describe('marks in the catalog', () => {
  it('are tombstones: all, or those that are asked for and there', async () => {
    const vault = new InMemoryObjectStore();
    const [first, second] = [tombstone({ snapshot: directory(10) }), tombstone({ snapshot: directory(11) })];
    await vault.create(tombstoneKey('prod', directory(10)), jsonBytes(first));
    await vault.create(tombstoneKey('prod', directory(11)), jsonBytes(second));
    expect(await readTombstones(vault, 'prod')).toEqual([first, second]);
    expect(await readTombstones(vault, 'prod', [directory(11), directory(12)])).toEqual([second]);
    await vault.create(tombstoneKey('prod', directory(13)), Buffer.from('{}'));
    await expect(readTombstones(vault, 'prod')).rejects.toThrow(CatalogCorrupt);
  });

  it('are pins and a freeze, until they are taken back', async () => {
    const vault = new InMemoryObjectStore({ versioned: true });
    expect([await readPins(vault, 'prod'), await readFreeze(vault, 'prod')]).toEqual([[], undefined]);
    const { takenAt: at } = record(10);
    const freeze = { formatVersion: 1, backup: 'prod', reason: 'audit', at, execution: 'm' };
    const pin = { ...freeze, snapshot: directory(10) };
    await vault.create(pinKey('prod', directory(10)), jsonBytes(pin));
    await vault.create(freezeKey('prod'), jsonBytes(freeze));
    expect([await readPins(vault, 'prod'), await readFreeze(vault, 'prod')]).toEqual([[pin], freeze]);
    await vault.hide(pinKey('prod', directory(10)));
    await vault.hide(freezeKey('prod'));
    expect([await readPins(vault, 'prod'), await readFreeze(vault, 'prod')]).toEqual([[], undefined]);
  });

  it('are verifications, of which the newest counts; nothing else that lies there does', async () => {
    const vault = new InMemoryObjectStore();
    expect(await readNewestVerification(vault, 'prod')).toBeUndefined();
    const ids = ['20260130T060000.000Z-read-b', '20260131T060000.000Z-present-a', '20260129T060000.000Z-read-c'];
    for (const id of ids) {
      await vault.create(verificationKey('prod', id), jsonBytes(verification({ id })));
    }
    await vault.create(`${verificationKey('prod', '2027')}.copy`, Buffer.from('not ours'));
    expect(await readNewestVerification(vault, 'prod')).toEqual(verification({ id: ids[1] ?? '' }));
    await vault.create(verificationKey('prod', '2028'), Buffer.from('{}'));
    await expect(readNewestVerification(vault, 'prod')).rejects.toThrow(CatalogCorrupt);
  });
});

describe('finding a snapshot', () => {
  const records = [10, 11, 12].map((day) => record(day));

  it.each([
    ['latest', 12],
    [String(Date.UTC(2026, 0, 11, 22)), 11],
    [directory(10), 10],
  ])('takes %s', (wanted, day) => {
    expect(findSnapshot(records, 'prod', wanted).snapshot).toBe(directory(day));
  });

  it('names the newest that there are when there is none such', () => {
    expect(() => findSnapshot(records, 'prod', directory(13))).toThrow(SnapshotNotFound);
    expect(() => findSnapshot(records, 'prod', directory(13))).toThrow(
      `Its newest are ${directory(10)}, ${directory(11)}, ${directory(12)}`,
    );
  });

  it('says so when there are none at all', () => {
    expect(() => findSnapshot([], 'prod', 'latest')).toThrow('It has no snapshots at all');
  });
});
