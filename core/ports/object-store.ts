/**
 * One bucket, as the catalog and the work records use it. Missing keys are `undefined`; every failure throws
 * (`StoreUnavailable` when trying again may help).
 *
 * Adapters: `adapters/s3/s3-object-store.ts`; twin: `test/support/in-memory-object-store.ts`.
 */
export interface ObjectStore {
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectHead | undefined>;
  /** Creates the key, or says that it exists (also when a race with another creator was lost). */
  create(key: string, body: Uint8Array): Promise<'created' | 'exists'>;
  /**
   * Creates the key from a stream of unknown length with flat memory. The body is consumed also when the key exists.
   * @returns SHA-256 (hex) and length of what was streamed, whichever way it ended
   */
  createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject>;
  /** Writes whatever was there. Work bucket only: the vault is write-once. */
  put(key: string, body: Uint8Array): Promise<void>;
  putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Replaces exactly the version with this ETag; `lost` when it is another or gone. */
  replace(key: string, body: Uint8Array, etag: string): Promise<'replaced' | 'lost'>;
  /** Deletes exactly the version with this ETag; `lost` when it is another or gone. */
  deleteIfMatch(key: string, etag: string): Promise<'deleted' | 'lost'>;
  delete(key: string): Promise<void>;
  /** Keys under the prefix in UTF-8 byte order, paged inside. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>;
}

export interface ListOptions {
  /** Only keys after this one. */
  readonly startAfter?: string;
}

export interface StoredObject extends ObjectHead {
  /** To be read once. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ObjectHead {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly versionId?: string;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface StreamedObject {
  readonly outcome: 'created' | 'exists';
  readonly sha256: string;
  readonly sizeBytes: number;
}
