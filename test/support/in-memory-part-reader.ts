import type { ChecksumAlgorithm } from '../../core/checksum.ts';
import { SourceUnreadable } from '../../core/errors.ts';
import type { PartReader, ReadPart } from '../../core/ports/part-reader.ts';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import { checksumOfBytes } from './checksum-of-bytes.ts';
import type { InMemoryObjectStore } from './in-memory-object-store.ts';

/** Must be restored before they can be read. */
const ARCHIVED_CLASSES: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** Reads versions of a vault in memory. Passes the same contract suite as `S3PartReader`. */
export class InMemoryPartReader implements PartReader {
  readonly #vault: InMemoryObjectStore;

  constructor(vault: InMemoryObjectStore) {
    this.#vault = vault;
  }

  async read(name: VersionName, algorithm: ChecksumAlgorithm): Promise<ReadPart | undefined> {
    const version = this.#vault.version(name);
    if (version?.kind !== 'version') {
      return undefined;
    }
    if (ARCHIVED_CLASSES.has(version.storageClass)) {
      throw new SourceUnreadable(`Version ${name.versionId} of ${name.key} is archived.`, { hint: 'Restore it.' });
    }
    return {
      sizeBytes: version.body.byteLength,
      checksum: await checksumOfBytes(algorithm, version.body),
      lockedUntilEpochMillis: version.lockedUntilEpochMillis,
    };
  }
}
