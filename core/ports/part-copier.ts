import type { RankName } from '../ids.ts';
import type { LivePart, Receipt, StoredBytes } from '../part.ts';

/**
 * Copies one part from its root into the vault: server-side from an S3 root, streamed from a file root.
 *
 * Every copy pins what it reads and creates its key (`If-None-Match: *`). Where the key exists with the same bytes the copy is
 * done; where it has other bytes (an earlier version of the part within this snapshot) the part goes to its rewritten key.
 */
export interface PartCopier {
  /**
   * @returns the receipt, or `undefined` when `shouldStop()` became true first: call again with the same task to go on; a huge
   * part resumes at its finished ranges
   * @throws PartChanged, PartMissing, SourceUnreadable, VaultKeyTaken, StoreUnavailable
   */
  copy(task: CopyTask): Promise<Receipt | undefined>;
}

export interface CopyTask {
  readonly backup: string;
  /** Directory of the snapshot being taken. */
  readonly snapshot: string;
  readonly rank: RankName;
  readonly part: LivePart;
  /** Where the vault has these bytes already: a merge copies them from there. @default - they are read from the part's root */
  readonly stored?: StoredBytes;
  /** Where to keep the id of a multipart upload between tries. */
  readonly uploadKey: string;
  readonly shouldStop: () => boolean;
}
