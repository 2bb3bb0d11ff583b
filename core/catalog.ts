import { SnapshotNotFound } from './errors.ts';
import { isSnapshotId } from './ids.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { definitionRecordSchema, restoredSchema, type SnapshotRecord, snapshotRecordSchema } from './records.ts';
import { readJson } from './stored-json.ts';
import { compareUtf8 } from './utf8-order.ts';
import {
  attemptsPrefix,
  definitionKey,
  definitionsPrefix,
  nameOfCatalogKey,
  recordKey,
  recordsPrefix,
  restoredPrefix,
  tombstonesPrefix,
} from './vault-layout.ts';

/**
 * Reads the catalog of one backup: the records under `snapshots/` without those that have a tombstone. There is no index, so
 * there is nothing to rebuild and nothing to disagree with the records.
 */
export async function readSnapshots(vault: ObjectStore, backup: string): Promise<readonly SnapshotRecord[]> {
  const hidden = new Set(await namesUnder(vault, tombstonesPrefix(backup)));
  const records: SnapshotRecord[] = [];
  for (const snapshot of await namesUnder(vault, recordsPrefix(backup))) {
    const record = hidden.has(snapshot)
      ? undefined
      : await readJson(vault, recordKey(backup, snapshot), snapshotRecordSchema);
    if (record !== undefined) {
      records.push(record.value);
    }
  }
  return records.sort(byTime);
}

/** Oldest first: by `takenAt`, then by id. A merged full shows an older moment than its id says. */
export function byTime(left: SnapshotRecord, right: SnapshotRecord): number {
  return compareUtf8(left.takenAt, right.takenAt) || compareUtf8(left.id, right.id);
}

/** The newest directory that any execution ever claimed, whatever became of it. */
export async function newestDirectory(vault: ObjectStore, backup: string): Promise<string | undefined> {
  const names = [
    ...(await namesUnder(vault, attemptsPrefix(backup))),
    ...(await namesUnder(vault, recordsPrefix(backup))),
    ...(await namesUnder(vault, tombstonesPrefix(backup))),
  ];
  return names.sort(compareUtf8).at(-1);
}

/** The definition with the greatest number. */
export async function readDefinition(
  vault: ObjectStore,
  backup: string,
): Promise<{ readonly number: number; readonly digest: string } | undefined> {
  const newest = (await namesUnder(vault, definitionsPrefix(backup))).at(-1);
  if (newest === undefined) {
    return undefined;
  }
  const stored = await readJson(vault, definitionKey(backup, Number(newest)), definitionRecordSchema);
  return stored?.value;
}

/**
 * @param wanted `latest`, an id (13 digits) or a directory (`snapshot.YYYY-MM-DD.HH-MM-SS`)
 * @throws SnapshotNotFound saying which snapshots there are
 */
export function findSnapshot(records: readonly SnapshotRecord[], backup: string, wanted: string): SnapshotRecord {
  const found =
    wanted === 'latest'
      ? records.at(-1)
      : records.find((record) => (isSnapshotId(wanted) ? record.id === wanted : record.snapshot === wanted));
  if (found !== undefined) {
    return found;
  }
  const newest = records.slice(-5).map((record) => record.snapshot);
  throw new SnapshotNotFound(`Backup '${backup}' has no snapshot ${JSON.stringify(wanted)}.`, {
    hint:
      newest.length === 0
        ? 'It has no snapshots at all: check the name of the backup and the bucket.'
        : `Its newest are ${newest.join(', ')}; "latest" is the last of them.`,
  });
}

/** When the newest restore that changed the cluster's files began, ISO 8601; undefined when there was none. */
export async function findNewestRestore(vault: ObjectStore, cluster: string): Promise<string | undefined> {
  const newest = (await namesUnder(vault, restoredPrefix(cluster))).at(-1);
  if (newest === undefined) {
    return undefined;
  }
  const stored = await readJson(vault, `${restoredPrefix(cluster)}${newest}.json`, restoredSchema);
  return stored?.value.startedAt;
}

async function namesUnder(vault: ObjectStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const object of vault.list(prefix)) {
    names.push(nameOfCatalogKey(object.key));
  }
  return names;
}
