import pMap, { pMapSkip } from 'p-map';
import type * as z from 'zod/mini';
import { CatalogCorrupt, SnapshotNotFound } from './errors.ts';
import { isSnapshotId } from './ids.ts';
import type { ObjectStore } from './ports/object-store.ts';
import {
  definitionRecordSchema,
  type Freeze,
  freezeSchema,
  type Pin,
  pinSchema,
  restoredSchema,
  type SnapshotRecord,
  snapshotRecordSchema,
  type Tombstone,
  tombstoneSchema,
} from './records.ts';
import { readJson } from './stored-json.ts';
import { compareUtf8 } from './utf8-order.ts';
import {
  attemptsPrefix,
  definitionKey,
  definitionsPrefix,
  freezeKey,
  nameOfCatalogKey,
  pinKey,
  pinsPrefix,
  recordKey,
  recordsPrefix,
  restoredPrefix,
  tombstoneKey,
  tombstonesPrefix,
  verificationKey,
  verificationsPrefix,
} from './vault-layout.ts';
import { type Verification, verificationSchema } from './verification.ts';

/** Small objects that are read at a time: the catalog of ten years of nightly snapshots takes seconds. */
const READ_CONCURRENCY = 16;

/** The catalog of one backup as far as it can be read. */
export interface Catalog {
  /** Visible and readable, oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Visible, and their records are no records. Whoever deletes must stop here: what they name is not known. */
  readonly unreadable: readonly UnreadableRecord[];
  /** Directories that have a record and a tombstone, in order: hidden, and not yet gone. */
  readonly hidden: readonly string[];
}

export interface UnreadableRecord {
  readonly snapshot: string;
  readonly error: CatalogCorrupt;
}

/**
 * Reads the catalog of one backup: the records under `snapshots/` without those that have a tombstone. There is no index, so
 * there is nothing to rebuild and nothing to disagree with the records.
 * @throws CatalogCorrupt, FormatTooNew
 */
export async function readSnapshots(vault: ObjectStore, backup: string): Promise<readonly SnapshotRecord[]> {
  const { snapshots, unreadable } = await readCatalog(vault, backup);
  if (unreadable[0] !== undefined) {
    throw unreadable[0].error;
  }
  return snapshots;
}

/**
 * As `readSnapshots`, for those that go on beside a broken record. Tombstones are listed first: a merge commits its full before it
 * hides the sources, so that this may show both for a moment, and never neither.
 * @throws FormatTooNew
 */
export async function readCatalog(vault: ObjectStore, backup: string): Promise<Catalog> {
  const tombstones = new Set(await namesUnder(vault, tombstonesPrefix(backup)));
  const recorded = await namesUnder(vault, recordsPrefix(backup));
  const visible = recorded.filter((snapshot) => !tombstones.has(snapshot));
  const read = await pMap(visible, (snapshot) => readRecord(vault, backup, snapshot), {
    concurrency: READ_CONCURRENCY,
  });
  return {
    snapshots: read.flatMap((each) => (each !== undefined && 'record' in each ? [each.record] : [])).sort(byTime),
    unreadable: read.flatMap((each) => (each !== undefined && 'error' in each ? [each] : [])),
    hidden: recorded.filter((snapshot) => tombstones.has(snapshot)),
  };
}

/** @returns undefined when it is gone since it was listed */
async function readRecord(
  vault: ObjectStore,
  backup: string,
  snapshot: string,
): Promise<{ readonly record: SnapshotRecord } | UnreadableRecord | undefined> {
  const key = recordKey(backup, snapshot);
  try {
    const record = (await readJson(vault, key, snapshotRecordSchema))?.value;
    if (record !== undefined && (record.backup !== backup || record.snapshot !== snapshot)) {
      throw new CatalogCorrupt(`${key} is the record of ${record.backup}/${record.snapshot}.`, {
        hint: 'Restore the earlier version of this object in the bucket.',
      });
    }
    return record === undefined ? undefined : { record };
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return { snapshot, error };
    }
    throw error;
  }
}

/**
 * Tombstones of the backup, by directory. Most say nothing new: what has no record any more can neither be seen nor undeleted.
 * @param of only these directories; one without a tombstone is left out. @default - every tombstone
 * @throws CatalogCorrupt, FormatTooNew
 */
export async function readTombstones(
  vault: ObjectStore,
  backup: string,
  of?: readonly string[],
): Promise<readonly Tombstone[]> {
  const names = of ?? (await namesUnder(vault, tombstonesPrefix(backup)));
  return readAll(
    vault,
    tombstoneSchema,
    names.map((name) => tombstoneKey(backup, name)),
  );
}

/** @throws CatalogCorrupt, FormatTooNew */
export async function readPins(vault: ObjectStore, backup: string): Promise<readonly Pin[]> {
  const names = await namesUnder(vault, pinsPrefix(backup));
  return readAll(
    vault,
    pinSchema,
    names.map((name) => pinKey(backup, name)),
  );
}

/**
 * @returns undefined when the backup is not frozen
 * @throws CatalogCorrupt, FormatTooNew
 */
export async function readFreeze(vault: ObjectStore, backup: string): Promise<Freeze | undefined> {
  return (await readJson(vault, freezeKey(backup), freezeSchema))?.value;
}

/**
 * What verifications know of the backup: the newest record carries the state of all before it.
 * @returns undefined when nothing was ever verified
 * @throws CatalogCorrupt, FormatTooNew
 */
export async function readNewestVerification(vault: ObjectStore, backup: string): Promise<Verification | undefined> {
  const newest = (await namesUnder(vault, verificationsPrefix(backup))).at(-1);
  return newest === undefined
    ? undefined
    : (await readJson(vault, verificationKey(backup, newest), verificationSchema))?.value;
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

/** Objects that are gone since they were listed are left out. */
async function readAll<S extends z.ZodMiniType>(
  vault: ObjectStore,
  schema: S,
  keys: readonly string[],
): Promise<z.output<S>[]> {
  return pMap(keys, async (key) => (await readJson(vault, key, schema))?.value ?? pMapSkip, {
    concurrency: READ_CONCURRENCY,
  });
}

/** In order. Everything of the catalog that has a name of its own ends in `.json`; what does not is not ours. */
async function namesUnder(vault: ObjectStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of vault.list(prefix)) {
    if (key.endsWith('.json')) {
      names.push(nameOfCatalogKey(key));
    }
  }
  return names;
}
