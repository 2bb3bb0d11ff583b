/**
 * The vault as `Maintain` and `Verify` see it: versions and delete markers instead of keys. Missing things are values, failures throw
 * (`StoreUnavailable` when trying again may help).
 *
 * Adapter: `adapters/s3/s3-vault-versions.ts`; twin: `test/support/in-memory-object-store.ts`.
 */
export interface VaultVersions {
  /**
   * Every version and delete marker below the prefix: keys in UTF-8 byte order, the current one of a key first. Paged inside; memory
   * holds a page.
   * @param after only keys greater than this one
   */
  listVersions(prefix: string, after?: string): AsyncIterable<ListedVersion>;
  /** Names right below the prefix (which ends in `/`) under which there is any version or delete marker, in order, without the `/`. */
  listDirectories(prefix: string): AsyncIterable<string>;
  /**
   * Deletes exactly these versions or delete markers, 1,000 at most; what is gone already counts as deleted.
   * @returns those that S3 would not delete: under Object Lock or a legal hold
   * @throws S3AccessDenied when the caller may not delete at all
   */
  deleteVersions(versions: readonly VersionName[]): Promise<readonly LockedVersion[]>;
  /** Puts a delete marker over the key: it is gone for readers, and every version stays. Absent is fine. */
  hide(key: string): Promise<void>;
  /** Multipart uploads below the prefix that were begun and neither completed nor aborted. */
  listUploads(prefix: string): AsyncIterable<OpenUpload>;
  /** Aborts an upload; gone is fine. */
  abortUpload(upload: Pick<OpenUpload, 'key' | 'uploadId'>): Promise<void>;
}

export interface VersionName {
  readonly key: string;
  readonly versionId: string;
}

export interface ListedVersion extends VersionName {
  readonly kind: 'version' | 'deleteMarker';
  /** What a GET without a version id finds. */
  readonly isLatest: boolean;
  /** 0 for a delete marker. */
  readonly sizeBytes: number;
  /** As S3 gives it, with quotes; empty for a delete marker. */
  readonly etag: string;
  /** S3's name; empty for a delete marker. */
  readonly storageClass: string;
  readonly modifiedAtEpochMillis: number;
}

export interface LockedVersion extends VersionName {
  /** Epoch milliseconds; undefined under a legal hold, which has no date. */
  readonly lockedUntilEpochMillis: number | undefined;
}

export interface OpenUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly initiatedAtEpochMillis: number;
}
