import type { ListedVersion, LockedVersion, VersionName } from '../../core/ports/vault-versions.ts';
import { DiskStore } from './disk-store.ts';

export const PART_BYTES = 1_000_000;

/** Part bytes of one directory: `<backup>/<directory>/rank-1/tom-0/00000017.seg`, all of them numbered. */
export interface GeneratedDirectory {
  readonly prefix: string;
  readonly parts: number;
  /** Of the numbers 0, 1, 2, ... only each so many-th is there. */
  readonly every: number;
}

/**
 * A vault with a catalog like any other, and part bytes that nobody ever wrote: their listings are made while they are read, and what is
 * deleted is a bit for each. What the engine asks for is what it would ask S3 for; what S3 would do is not measured.
 */
export class GeneratedVault extends DiskStore {
  readonly #directories = new Map<string, { readonly of: GeneratedDirectory; readonly gone: Uint8Array }>();
  deletedParts = 0;

  add(of: GeneratedDirectory): void {
    this.#directories.set(of.prefix, { of, gone: new Uint8Array(Math.ceil(of.parts / 8)) });
  }

  override async *listVersions(prefix: string, after?: string): AsyncGenerator<ListedVersion> {
    yield* this.counted(this.#below(prefix, after) ?? super.listVersions(prefix, after));
  }

  override async *listDirectories(prefix: string): AsyncGenerator<string> {
    this.count('list');
    const names = new Set<string>();
    for (const { of, gone } of this.#directories.values()) {
      if (`${of.prefix}rank-1/`.startsWith(prefix) && isAny(of, gone)) {
        names.add(`${of.prefix}rank-1/`.slice(prefix.length).split('/')[0] ?? '');
      }
    }
    for await (const name of super.listDirectories(prefix)) {
      names.add(name);
    }
    yield* [...names].sort();
  }

  override deleteVersions(versions: readonly VersionName[]): Promise<readonly LockedVersion[]> {
    this.count('delete');
    const others: VersionName[] = [];
    for (const version of versions) {
      const directory = this.#directories.get(/^[^/]+\/[^/]+\//.exec(version.key)?.[0] ?? '');
      if (directory === undefined) {
        others.push(version);
      } else {
        const number = numberOf(version.key);
        const bit = 1 << (number % 8);
        const byte = directory.gone[number >> 3] ?? 0;
        directory.gone[number >> 3] = byte | bit;
        this.deletedParts += (byte & bit) === 0 ? 1 : 0;
      }
    }
    return others.length === 0 ? Promise.resolve([]) : super.deleteVersions(others);
  }

  #below(prefix: string, after: string | undefined): AsyncGenerator<ListedVersion> | undefined {
    for (const { of, gone } of this.#directories.values()) {
      if (prefix.startsWith(of.prefix) && `${of.prefix}rank-1/`.startsWith(prefix)) {
        return generate(of, gone, after === undefined ? 0 : numberOf(after) + 1);
      }
    }
    return undefined;
  }
}

export function generatedPath(number: number): string {
  return `tom-0/${String(number).padStart(8, '0')}.seg`;
}

export const versionIdOf = (number: number): string => `version.${String(number).padStart(24, '0')}`;
export const etagOf = (number: number): string => `"${String(number).padStart(32, '0')}"`;

async function* generate(of: GeneratedDirectory, gone: Uint8Array, from: number): AsyncGenerator<ListedVersion> {
  for (let number = Math.ceil(from / of.every) * of.every; number < of.parts; number += of.every) {
    if (((gone[number >> 3] ?? 0) & (1 << (number % 8))) === 0) {
      yield {
        key: `${of.prefix}rank-1/${generatedPath(number)}`,
        versionId: versionIdOf(number),
        kind: 'version',
        isLatest: true,
        sizeBytes: PART_BYTES,
        etag: etagOf(number),
        storageClass: 'STANDARD',
        modifiedAtEpochMillis: 0,
      };
    }
  }
}

function isAny({ parts, every }: GeneratedDirectory, gone: Uint8Array): boolean {
  for (let number = 0; number < parts; number += every) {
    if (((gone[number >> 3] ?? 0) & (1 << (number % 8))) === 0) {
      return true;
    }
  }
  return false;
}

function numberOf(key: string): number {
  return Number(/(\d{8})\.seg$/.exec(key)?.[1]);
}
