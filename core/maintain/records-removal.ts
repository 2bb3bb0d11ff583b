import * as z from 'zod/mini';
import { CatalogCorrupt } from '../errors.ts';
import { FORMAT_VERSION, formatVersionSchema } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { LockedVersion, VaultVersions, VersionName } from '../ports/vault-versions.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { nameOfCatalogKey, recordsPrefix, tombstonesPrefix } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import type { SweepPlan } from './plan.ts';
import { assertThawed } from './thawed.ts';

/** Write-once: what became of the records. */
const recordsRemovedSchema = z.object({
  formatVersion: formatVersionSchema,
  /** Versions of records that S3 would not delete, by directory: nothing else of these directories is deleted either. */
  refused: z.array(
    z.object({ backup: z.string(), directory: z.string(), versions: z.int(), until: z.optional(z.string()) }),
  ),
});
export type RecordsRemoved = z.infer<typeof recordsRemovedSchema>;

interface RemovalDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

const recordsRemovedKey = (keys: RunKeys): string => keys.unit('records', 'removed');

/** DeleteObjects takes so many (S3 API reference). */
export const DELETED_AT_ONCE = 1000;

/**
 * Deletes the records of dead directories, before any byte of theirs goes: whatever becomes of the tombstones, nobody ever sees a
 * snapshot again whose bytes are going.
 * @throws BackupFrozen, CatalogCorrupt when a tombstone has vanished since the decision
 */
export async function removeRecords(deps: RemovalDependencies, plan: SweepPlan): Promise<RecordsRemoved> {
  const done = await readJson(deps.work, recordsRemovedKey(deps.keys), recordsRemovedSchema);
  if (done !== undefined) {
    return done.value;
  }
  const refused: RecordsRemoved['refused'] = [];
  for (const [backup, directories] of deadDirectories(plan)) {
    await assertThawed(deps.vault, backup);
    await assertHidden(deps.vault, backup, directories);
    const locked = await removeOf(deps.versions, backup, directories);
    refused.push(...refusals(backup, locked));
  }
  const removed: RecordsRemoved = { formatVersion: FORMAT_VERSION, refused };
  await createJson(deps.work, recordsRemovedKey(deps.keys), removed);
  return removed;
}

/** @returns undefined when no record was to be removed, as in a dry run */
export async function readRecordsRemoved(work: ObjectStore, keys: RunKeys): Promise<RecordsRemoved | undefined> {
  return (await readJson(work, recordsRemovedKey(keys), recordsRemovedSchema))?.value;
}

/** By backup, those whose records go: dead and not locked. */
function deadDirectories({ directories }: SweepPlan): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const { backup, directory, dead, lockedUntil } of directories) {
    if (dead && lockedUntil === undefined) {
      found.set(backup, (found.get(backup) ?? new Set()).add(directory));
    }
  }
  return found;
}

async function assertHidden(vault: ObjectStore, backup: string, directories: ReadonlySet<string>): Promise<void> {
  const missing = new Set(directories);
  for await (const { key } of vault.list(tombstonesPrefix(backup))) {
    missing.delete(nameOfCatalogKey(key));
  }
  const [first] = missing;
  if (first !== undefined) {
    throw new CatalogCorrupt(`The tombstone of ${backup}/${first} has vanished since its removal was decided.`, {
      hint: 'Nothing was deleted. Find out who writes into the catalog by hand, then purge the snapshot again.',
    });
  }
}

async function removeOf(
  versions: VaultVersions,
  backup: string,
  directories: ReadonlySet<string>,
): Promise<readonly LockedVersion[]> {
  const locked: LockedVersion[] = [];
  let names: VersionName[] = [];
  for await (const { key, versionId } of versions.listVersions(recordsPrefix(backup))) {
    if (directories.has(nameOfCatalogKey(key))) {
      names.push({ key, versionId });
    }
    if (names.length === DELETED_AT_ONCE) {
      locked.push(...(await versions.deleteVersions(names)));
      names = [];
    }
  }
  return names.length === 0 ? locked : [...locked, ...(await versions.deleteVersions(names))];
}

function refusals(backup: string, locked: readonly LockedVersion[]): RecordsRemoved['refused'] {
  const names = new Set(locked.map(({ key }) => nameOfCatalogKey(key)));
  return [...names].map((directory) => {
    const own = locked.filter(({ key }) => nameOfCatalogKey(key) === directory);
    const dates = own.flatMap(({ lockedUntilEpochMillis: date }) =>
      date === undefined ? [] : [isoOfEpochMillis(date)],
    );
    const until = dates.sort().at(-1);
    return { backup, directory, versions: own.length, ...(until === undefined ? {} : { until }) };
  });
}
