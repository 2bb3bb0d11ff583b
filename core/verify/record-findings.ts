import type { Catalog } from '../catalog.ts';
import { epochMillisOfDirectory } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { SnapshotRecord } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import { nameOfCatalogKey, recordKey, recordsPrefix, tombstoneKey } from '../vault-layout.ts';
import type { VerifiedState, VerifyLevel } from '../verification.ts';
import type { Scope } from './scope.ts';
import type { Sighting } from './sightings.ts';
import { VersionGroups } from './version-groups.ts';

interface Stores {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
}

export interface RecordSightings {
  readonly sightings: readonly Sighting[];
  /** Snapshots whose records have vanished without a trace. */
  readonly gone: readonly string[];
}

export interface RecordQuestion {
  readonly backup: string;
  readonly level: VerifyLevel;
  readonly catalog: Catalog;
  readonly scope: Scope;
  readonly verified: VerifiedState['verified'];
}

/** What is wrong with the records of the scope. Only a `present` looks at what should be there and is not, and only at that of all. */
export async function sightRecords(
  stores: Stores,
  { backup, level, catalog, scope, verified }: RecordQuestion,
  nowEpochMillis: number,
): Promise<RecordSightings> {
  const unreadable = unreadableRecords(backup, level === 'restored' ? [] : scope.unreadable);
  if (level !== 'present') {
    return { sightings: unreadable, gone: [] };
  }
  const early = earlyChains(scope.records, nowEpochMillis);
  if (scope.whole) {
    return { sightings: [...unreadable, ...early], gone: [] };
  }
  const hidden = await hiddenRecords(stores, backup);
  const known = new Set([
    ...catalog.hidden,
    ...[...catalog.snapshots, ...catalog.unreadable, ...hidden].map(({ snapshot }) => snapshot),
  ]);
  const vanished = await vanishedRecords(stores, backup, { verified, known });
  return {
    sightings: [...unreadable, ...early, ...hidden, ...vanished],
    gone: vanished.map(({ snapshot }) => snapshot),
  };
}

function unreadableRecords(backup: string, unreadable: Catalog['unreadable']): readonly Sighting[] {
  return unreadable.map(({ snapshot, error }) => ({
    kind: 'BrokenCatalog',
    snapshot,
    key: recordKey(backup, snapshot),
    detail: error.problem,
  }));
}

/** A record is the commit: under a delete marker, the snapshot has vanished without anybody having said so by a tombstone. */
async function hiddenRecords({ vault, versions }: Stores, backup: string): Promise<readonly Sighting[]> {
  const sightings: Sighting[] = [];
  const groups = new VersionGroups(versions.listVersions(recordsPrefix(backup)));
  for (let group = await groups.upTo(undefined); group !== undefined; group = await groups.upTo(undefined)) {
    const { key } = group;
    const [current, ...older] = group.versions;
    const snapshot = nameOfCatalogKey(key);
    const isHidden = current?.kind === 'deleteMarker' && epochMillisOfDirectory(snapshot) !== undefined;
    if (isHidden && (await vault.head(tombstoneKey(backup, snapshot))) === undefined) {
      sightings.push(
        older.some(({ kind }) => kind === 'version')
          ? { kind: 'HiddenRecord', snapshot, key, detail: 'A delete marker lies over the record of the snapshot.' }
          : { kind: 'BrokenCatalog', snapshot, key, detail: 'Only a delete marker is left of the record.' },
      );
    }
  }
  return sightings;
}

/** Snapshots that were verified once, and have neither a record nor a tombstone any more. */
async function vanishedRecords(
  { vault }: Pick<Stores, 'vault'>,
  backup: string,
  { verified, known }: { readonly verified: VerifiedState['verified']; readonly known: ReadonlySet<string> },
): Promise<readonly Sighting[]> {
  const sightings: Sighting[] = [];
  for (const { snapshot } of verified.filter((each) => !known.has(each.snapshot))) {
    if ((await vault.head(tombstoneKey(backup, snapshot))) === undefined) {
      const key = recordKey(backup, snapshot);
      const detail = 'The record of the snapshot is gone, and no tombstone says that it should be.';
      sightings.push({ kind: 'BrokenCatalog', snapshot, key, detail });
    }
  }
  return sightings;
}

/** By its own record, a byte that the snapshot names may be deleted before the date until which the snapshot promises to be there. */
function earlyChains(records: readonly SnapshotRecord[], nowEpochMillis: number): readonly Sighting[] {
  return records.flatMap(({ backup, snapshot, lock }) => {
    const [promised, chain] = [lock?.promisedUntil, lock?.chainUntil].map((iso) => epochMillisOfIso(iso ?? ''));
    if (lock === undefined || promised === undefined || chain === undefined) {
      return [];
    }
    const detail = `Bytes of its chain are locked until ${lock.chainUntil}; it promises ${lock.promisedUntil}.`;
    return chain < promised && nowEpochMillis < promised
      ? [{ kind: 'LockEndsEarly', snapshot, key: recordKey(backup, snapshot), detail } as const]
      : [];
  });
}

/** By directory: the latest promise of the snapshots that name bytes of it. */
export function promisesOf(records: readonly SnapshotRecord[]): Record<string, string> {
  const promises = new Map<string, string>();
  for (const { chain, lock } of records) {
    for (const directory of lock === undefined ? [] : chain) {
      const known = promises.get(directory);
      const until = lock?.promisedUntil ?? '';
      promises.set(directory, known === undefined || later(until, known) ? until : known);
    }
  }
  return Object.fromEntries(promises);
}

function later(left: string, right: string): boolean {
  return (epochMillisOfIso(left) ?? 0) > (epochMillisOfIso(right) ?? 0);
}
