import type { Checksum, ChecksumAlgorithm } from '../checksum.ts';
import type { VersionName } from './vault-versions.ts';

/**
 * Reads the bytes of one version in the vault and checksums them; keeps none of them.
 *
 * Adapter: `adapters/s3/s3-part-reader.ts`; twin: `test/support/in-memory-part-reader.ts`.
 */
export interface PartReader {
  /**
   * @returns undefined when there is no such version, or it is a delete marker
   * @throws StoreUnavailable, S3AccessDenied
   */
  read(version: VersionName, algorithm: ChecksumAlgorithm): Promise<ReadPart | undefined>;
}

export interface ReadPart {
  readonly sizeBytes: number;
  /** Of the bytes that were read, computed here. */
  readonly checksum: Checksum;
  /** Object Lock's date of this version; undefined when it has none. */
  readonly lockedUntilEpochMillis: number | undefined;
}
