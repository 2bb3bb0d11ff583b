import { describe, expect, it } from 'vitest';
import { findNewestRestore, findSnapshot, newestDirectory, readDefinition, readSnapshots } from '../../core/catalog.ts';
import { CatalogCorrupt, FormatTooNew, SnapshotNotFound } from '../../core/errors.ts';
import { jsonBytes } from '../../core/format.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import { attemptKey, definitionKey, recordKey, restoredKey, tombstoneKey } from '../../core/vault-layout.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { snapshotRecord } from '../support/sample-lines.ts';

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
