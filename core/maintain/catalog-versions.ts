import type { ListedVersion, VaultVersions } from '../ports/vault-versions.ts';
import { attemptKey, manifestsPrefix, recordKey } from '../vault-layout.ts';
import type { NamedVersions } from './removal-join.ts';
import type { Unit } from './units.ts';

/**
 * What the catalog has of a directory, in the order of keys: attempt, manifests, record.
 * @param after only keys greater than this one
 */
export async function* catalogVersions(
  versions: VaultVersions,
  { backup, directory }: Unit,
  after: string | undefined,
): AsyncGenerator<ListedVersion> {
  const manifests = manifestsPrefix(backup, directory);
  for (const prefix of [attemptKey(backup, directory), manifests, recordKey(backup, directory)]) {
    for await (const version of versions.listVersions(prefix, after)) {
      if (version.key === prefix || prefix === manifests) {
        yield version;
      }
    }
  }
}

/** Catalog objects are written once: the newest version of each is the one that counts. Asked in the order of the listing. */
export class NewestVersions implements NamedVersions {
  #last: { readonly key: string; readonly versionId: string } | undefined;

  has({ key, versionId }: Pick<ListedVersion, 'key' | 'versionId'>): Promise<boolean> {
    if (this.#last?.key !== key) {
      this.#last = { key, versionId };
    }
    return Promise.resolve(this.#last.versionId === versionId);
  }

  hasKey(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
