import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import { attemptsPrefix, catalogPrefix, nameOfCatalogKey, recordsPrefix, tombstonesPrefix } from '../vault-layout.ts';

interface NameReader {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
}

/** What a backup has in the vault, by directory. */
export interface CatalogNames {
  readonly tombstones: ReadonlySet<string>;
  readonly attempts: readonly string[];
  /** Directories of which there is any version of a record. */
  readonly recorded: ReadonlySet<string>;
  /** Those whose record a GET finds. */
  readonly current: ReadonlySet<string>;
  readonly directories: ReadonlySet<string>;
  readonly catalogued: ReadonlySet<string>;
}

/** Some dozen listings. */
export async function readNames({ vault, versions }: NameReader, backup: string): Promise<CatalogNames> {
  const [tombstones, attempts, records, directories, manifests] = await Promise.all([
    namesOf(vault.list(tombstonesPrefix(backup))),
    namesOf(versions.listVersions(attemptsPrefix(backup))),
    readRecordNames(versions, backup),
    all(versions.listDirectories(`${backup}/`)),
    all(versions.listDirectories(`${catalogPrefix(backup)}manifests/`)),
  ]);
  return {
    tombstones: new Set(tombstones),
    attempts: [...new Set(attempts)],
    ...records,
    directories: new Set(directories),
    catalogued: new Set([...attempts, ...records.recorded, ...manifests]),
  };
}

async function readRecordNames(
  versions: VaultVersions,
  backup: string,
): Promise<{ readonly recorded: ReadonlySet<string>; readonly current: ReadonlySet<string> }> {
  const recorded = new Set<string>();
  const current = new Set<string>();
  for await (const { key, kind, isLatest } of versions.listVersions(recordsPrefix(backup))) {
    if (kind === 'version') {
      recorded.add(nameOfCatalogKey(key));
    }
    if (kind === 'version' && isLatest) {
      current.add(nameOfCatalogKey(key));
    }
  }
  return { recorded, current };
}

async function namesOf(objects: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of objects) {
    if (key.endsWith('.json')) {
      names.push(nameOfCatalogKey(key));
    }
  }
  return names;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) {
    found.push(item);
  }
  return found;
}
