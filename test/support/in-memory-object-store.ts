import { createHash } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  StoredObject,
  StreamedObject,
} from '../../core/ports/object-store.ts';
import type {
  ListedVersion,
  LockedVersion,
  OpenUpload,
  VaultVersions,
  VersionName,
} from '../../core/ports/vault-versions.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { FixedClock } from './fixed-clock.ts';
import { type Damage, InMemoryVersions, type MemoryVersion } from './in-memory-versions.ts';

export interface InMemoryStoreOptions {
  /** Overwritten and deleted versions stay, as in a vault. @default false */
  readonly versioned?: boolean;
  /** Says when versions are made and whether a lock still holds. @default - stands still */
  readonly clock?: Clock;
}

/** DeleteObjects takes this many (S3 API reference). */
const MOST_DELETED_AT_ONCE = 1_000;

/** A bucket in memory. Passes the same contract suites as `S3ObjectStore` and `S3VaultVersions`. */
export class InMemoryObjectStore implements ObjectStore, VaultVersions {
  /** Object Lock of what is created from now on, in epoch milliseconds. A test may set it at any time. */
  lockedUntil: () => number | undefined = () => undefined;
  readonly #versions = new InMemoryVersions();
  readonly #uploads = new Map<string, OpenUpload>();
  readonly #versioned: boolean;
  readonly #clock: Clock;
  #writes = 0;

  constructor(options: InMemoryStoreOptions = {}) {
    this.#versioned = options.versioned ?? false;
    this.#clock = options.clock ?? new FixedClock();
  }

  get(key: string): Promise<StoredObject | undefined> {
    const kept = this.#versions.current(key);
    return Promise.resolve(kept === undefined ? undefined : { ...headOf(kept), body: chunksOf(kept.body) });
  }

  head(key: string): Promise<ObjectHead | undefined> {
    const kept = this.#versions.current(key);
    return Promise.resolve(kept === undefined ? undefined : headOf(kept));
  }

  create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    return this.createWith(key, body, {});
  }

  async createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject> {
    const bytes = await collect(body);
    const outcome = await this.create(key, bytes);
    return { outcome, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.byteLength };
  }

  put(key: string, body: Uint8Array): Promise<void> {
    this.#keep(key, body);
    return Promise.resolve();
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#keep(key, await collect(body));
  }

  replace(key: string, body: Uint8Array, etag: string): Promise<'replaced' | 'lost'> {
    if (this.#versions.current(key)?.etag !== etag) {
      return Promise.resolve('lost');
    }
    this.#keep(key, body);
    return Promise.resolve('replaced');
  }

  async deleteIfMatch(key: string, etag: string): Promise<'deleted' | 'lost'> {
    if (this.#versions.current(key)?.etag !== etag) {
      return 'lost';
    }
    await this.delete(key);
    return 'deleted';
  }

  delete(key: string): Promise<void> {
    if (this.#versioned) {
      this.#mark(key);
    } else {
      this.#versions.removeAll(key);
    }
    return Promise.resolve();
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject> {
    for (const key of this.#versions.keysBelow(prefix, options.startAfter)) {
      const kept = this.#versions.current(key);
      if (kept !== undefined) {
        yield { key, sizeBytes: kept.body.byteLength, etag: kept.etag };
      }
    }
  }

  async *listVersions(prefix: string, after?: string): AsyncIterable<ListedVersion> {
    for (const key of this.#versions.keysBelow(prefix, after)) {
      yield* this.#versions.listed(key);
    }
  }

  async *listDirectories(prefix: string): AsyncIterable<string> {
    const rests = this.#versions.keysBelow(prefix).map((key) => key.slice(prefix.length));
    yield* new Set(rests.filter((rest) => rest.includes('/')).map((rest) => rest.slice(0, rest.indexOf('/'))));
  }

  deleteVersions(versions: readonly VersionName[]): Promise<readonly LockedVersion[]> {
    if (versions.length > MOST_DELETED_AT_ONCE) {
      throw new Error(`${versions.length} versions at once: ask for ${MOST_DELETED_AT_ONCE} at most.`);
    }
    const names = versions.map(({ key, versionId }) => ({ key, versionId }));
    return Promise.resolve(this.#versions.removeUnlocked(names, this.#clock.nowEpochMillis()));
  }

  hide(key: string): Promise<void> {
    this.#mark(key);
    return Promise.resolve();
  }

  async *listUploads(prefix: string): AsyncIterable<OpenUpload> {
    const uploads = [...this.#uploads.values()].filter(({ key }) => key.startsWith(prefix));
    yield* uploads.sort((a, b) => compareUtf8(a.key, b.key) || a.initiatedAtEpochMillis - b.initiatedAtEpochMillis);
  }

  abortUpload(upload: Pick<OpenUpload, 'key' | 'uploadId'>): Promise<void> {
    this.#uploads.delete(upload.uploadId);
    return Promise.resolve();
  }

  /** Keys of current versions in UTF-8 order, for tests that look at what is there. */
  keys(): readonly string[] {
    return this.#versions.keysBelow('').filter((key) => this.#versions.current(key) !== undefined);
  }

  /** As `create`, with user metadata, which S3 keeps in lower case. */
  createWith(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<'created' | 'exists'> {
    if (this.#versions.current(key) !== undefined) {
      return Promise.resolve('exists');
    }
    this.#keep(key, body, metadata);
    return Promise.resolve('created');
  }

  metadataOf(key: string): Readonly<Record<string, string>> {
    return this.#versions.current(key)?.metadata ?? {};
  }

  /** One version with its bytes; a delete marker too. */
  version(name: VersionName): MemoryVersion | undefined {
    return this.#versions.find(name);
  }

  /** Name of the current version. @throws Error when the key has none */
  currentVersion(key: string): VersionName {
    const current = this.#versions.current(key);
    if (current === undefined) {
      throw new Error(`${key} has no current version: create it first.`);
    }
    return { key, versionId: current.versionId };
  }

  /** Changes a version behind everybody's back: bytes, ETag, storage class, lock. @throws Error when there is none */
  damage(name: VersionName, damage: Damage): void {
    this.#versions.alter(name, damage);
  }

  /** Changes one bit in the middle of the bytes, and nothing else. */
  rot(name: VersionName): void {
    const body = Uint8Array.from(this.version(name)?.body ?? []);
    const middle = Math.floor(body.byteLength / 2);
    body[middle] = (body[middle] ?? 0) ^ 1;
    this.damage(name, { body });
  }

  /** Takes a version or a delete marker away, locked or not. */
  lose(name: VersionName): void {
    this.#versions.remove(name);
  }

  /** A multipart upload that somebody began. */
  plantUpload(key: string, initiatedAtEpochMillis: number): OpenUpload {
    this.#writes += 1;
    const upload = { key, uploadId: `upload-${this.#writes}`, initiatedAtEpochMillis };
    this.#uploads.set(upload.uploadId, upload);
    return upload;
  }

  #mark(key: string): void {
    this.#add(key, { kind: 'deleteMarker', body: new Uint8Array(), etag: '', storageClass: '' });
  }

  /** ETags are opaque and never repeat, so that no test comes to rely on equal bytes having equal ETags. */
  #keep(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>> = {}): void {
    if (!this.#versioned) {
      this.#versions.removeAll(key);
    }
    const etag = `"memory-${this.#writes + 1}"`;
    const lockedUntilEpochMillis = this.lockedUntil();
    const copied = { body: Uint8Array.from(body), etag, metadata };
    this.#add(key, { ...copied, kind: 'version', storageClass: 'STANDARD', lockedUntilEpochMillis });
  }

  #add(key: string, version: Pick<MemoryVersion, 'kind' | 'body' | 'etag' | 'storageClass'> & Partial<MemoryVersion>) {
    this.#writes += 1;
    this.#versions.add(key, {
      metadata: {},
      lockedUntilEpochMillis: undefined,
      legalHold: false,
      versionId: `v${this.#writes}`,
      modifiedAtEpochMillis: this.#clock.nowEpochMillis(),
      ...version,
    });
  }
}

function headOf(kept: MemoryVersion): ObjectHead {
  return { sizeBytes: kept.body.byteLength, etag: kept.etag, versionId: kept.versionId };
}

/** Several chunks, as a network gives them. */
async function* chunksOf(body: Uint8Array): AsyncIterable<Uint8Array> {
  const half = Math.ceil(body.byteLength / 2);
  yield body.slice(0, half);
  if (half < body.byteLength) {
    yield body.slice(half);
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}
