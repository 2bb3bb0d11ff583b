import type { ListedVersion, LockedVersion, VersionName } from '../../core/ports/vault-versions.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

/** A version of a key, or a delete marker, which has no bytes. */
export interface MemoryVersion {
  readonly kind: 'version' | 'deleteMarker';
  readonly versionId: string;
  readonly body: Uint8Array;
  readonly etag: string;
  readonly storageClass: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modifiedAtEpochMillis: number;
  readonly lockedUntilEpochMillis: number | undefined;
  readonly legalHold: boolean;
}

/** What a test can do to a version behind everybody's back. The ETag stays unless it is given. */
export type Damage = Partial<
  Pick<MemoryVersion, 'body' | 'etag' | 'storageClass' | 'lockedUntilEpochMillis' | 'legalHold'>
>;

/** The versions of all keys of a bucket in memory, the current one of a key first. */
export class InMemoryVersions {
  readonly #versions = new Map<string, MemoryVersion[]>();

  /** What a GET without a version id finds. */
  current(key: string): MemoryVersion | undefined {
    const first = this.of(key)[0];
    return first?.kind === 'version' ? first : undefined;
  }

  of(key: string): readonly MemoryVersion[] {
    return this.#versions.get(key) ?? [];
  }

  find(name: VersionName): MemoryVersion | undefined {
    return this.of(name.key).find((each) => each.versionId === name.versionId);
  }

  /** Keys that have any version or delete marker, in UTF-8 order. @param after only keys greater than this one */
  keysBelow(prefix: string, after?: string): readonly string[] {
    const keys = [...this.#versions.keys()].filter(
      (key) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0),
    );
    return keys.sort(compareUtf8);
  }

  listed(key: string): readonly ListedVersion[] {
    return this.of(key).map((version, index) => {
      const { kind, versionId, etag, storageClass, modifiedAtEpochMillis } = version;
      const sizeBytes = version.body.byteLength;
      return { key, versionId, kind, isLatest: index === 0, sizeBytes, etag, storageClass, modifiedAtEpochMillis };
    });
  }

  add(key: string, version: MemoryVersion): void {
    this.#versions.set(key, [version, ...this.of(key)]);
  }

  /** @throws Error when there is none of this name: a test that damages nothing proves nothing */
  alter(name: VersionName, damage: Damage): void {
    if (this.find(name) === undefined) {
      throw new Error(`There is no version ${name.versionId} of ${name.key}: name one that listVersions shows.`);
    }
    const altered = this.of(name.key).map((each) =>
      each.versionId === name.versionId ? { ...each, ...damage } : each,
    );
    this.#versions.set(name.key, altered);
  }

  remove(name: VersionName): void {
    this.#keep(
      name.key,
      this.of(name.key).filter((each) => each.versionId !== name.versionId),
    );
  }

  /** Deletes what no lock and no legal hold keeps. @returns the others */
  removeUnlocked(names: readonly VersionName[], nowEpochMillis: number): readonly LockedVersion[] {
    return names.flatMap((name): LockedVersion[] => {
      const found = this.find(name);
      const until = found?.lockedUntilEpochMillis ?? 0;
      if (found?.legalHold === true) {
        return [{ ...name, lockedUntilEpochMillis: undefined }];
      }
      if (until > nowEpochMillis) {
        return [{ ...name, lockedUntilEpochMillis: until }];
      }
      this.remove(name);
      return [];
    });
  }

  /** As a bucket without versions does. */
  removeAll(key: string): void {
    this.#keep(key, []);
  }

  #keep(key: string, versions: MemoryVersion[]): void {
    if (versions.length === 0) {
      this.#versions.delete(key);
    } else {
      this.#versions.set(key, versions);
    }
  }
}
