import type { Checksum } from '../protocol/checksums.ts';
import type { ObjectLock } from '../protocol/object-lock.ts';
import type { BlobStore } from './blobs.ts';
import type { Bucket } from './buckets.ts';
import { type Content, encodeContent } from './content.ts';
import type { Database } from './database.ts';
import {
  type ListedVersion,
  listedColumns,
  listedVersionOf,
  type ObjectDescription,
  type ObjectVersion,
  type Version,
  versionOf,
} from './version.ts';
import { newVersionId, nullVersionId } from './version-id.ts';

/** An object as a writer hands it over. */
export interface NewObject {
  readonly description: ObjectDescription;
  readonly modifiedEpochMillis: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  /** Owned by the new version from now on. */
  readonly content: Content;
}

/** Where a listing starts: at this key, or right after it. */
interface ListingStart {
  readonly key: Buffer;
  readonly inclusive: boolean;
}

export class VersionTable {
  readonly #database: Database;
  readonly #blobs: BlobStore;

  constructor(database: Database, blobs: BlobStore) {
    this.#database = database;
    this.#blobs = blobs;
  }

  /** The newest version of a key, which may be a delete marker. */
  current(bucket: Bucket, key: string): Version | undefined {
    const row = this.#database.get(
      'SELECT * FROM versions WHERE bucket_id = ? AND key = ? ORDER BY seq DESC LIMIT 1',
      bucket.id,
      Buffer.from(key),
    );
    return row === undefined ? undefined : versionOf(row);
  }

  find(bucket: Bucket, key: string, versionId: string): Version | undefined {
    const row = this.#database.get(
      'SELECT * FROM versions WHERE bucket_id = ? AND key = ? AND version_id = ?',
      bucket.id,
      Buffer.from(key),
      versionId,
    );
    return row === undefined ? undefined : versionOf(row);
  }

  /** Adds a version, in place of the null version where the bucket does not keep versions. Returns its id. */
  insertObject(bucket: Bucket, key: string, object: NewObject): string {
    const seq = this.#database.nextSequence();
    const versionId = this.#makeRoom(bucket, key, seq);
    const { description, checksum } = object;
    this.#database.run(
      'INSERT INTO versions VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      bucket.id,
      Buffer.from(key),
      seq,
      versionId,
      object.modifiedEpochMillis,
      object.sizeBytes,
      object.etag,
      description.storageClass,
      checksum?.algorithm ?? null,
      checksum?.type ?? null,
      checksum?.value ?? null,
      description.lock.retention?.mode ?? null,
      description.lock.retention?.retainUntilEpochMillis ?? null,
      description.lock.legalHold ?? null,
      JSON.stringify(description.attributes),
      description.tags ?? null,
      encodeContent(object.content),
    );
    return versionId;
  }

  insertMarker(bucket: Bucket, key: string, modifiedEpochMillis: number): string {
    const seq = this.#database.nextSequence();
    const versionId = this.#makeRoom(bucket, key, seq);
    this.#database.run(
      "INSERT INTO versions VALUES (?, ?, ?, ?, 1, ?, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, '[]')",
      bucket.id,
      Buffer.from(key),
      seq,
      versionId,
      modifiedEpochMillis,
    );
    return versionId;
  }

  remove(bucket: Bucket, version: Version): void {
    this.#database.run(
      'DELETE FROM versions WHERE bucket_id = ? AND key = ? AND seq = ?',
      bucket.id,
      Buffer.from(version.key),
      version.seq,
    );
    if (!version.isMarker) this.#blobs.release(version.content);
  }

  setLock(bucket: Bucket, version: Version, lock: ObjectLock): void {
    this.#database.run(
      `UPDATE versions SET retention_mode = ?, retain_until_ms = ?, legal_hold = ?
       WHERE bucket_id = ? AND key = ? AND seq = ?`,
      lock.retention?.mode ?? null,
      lock.retention?.retainUntilEpochMillis ?? null,
      lock.legalHold ?? null,
      bucket.id,
      Buffer.from(version.key),
      version.seq,
    );
  }

  /** Puts other bytes in the place of a version's. The old ones go unless something else holds them. */
  setContent(bucket: Bucket, version: ObjectVersion, content: Content, sizeBytes: number): void {
    this.#database.run(
      'UPDATE versions SET content = ?, size = ? WHERE bucket_id = ? AND key = ? AND seq = ?',
      encodeContent(content),
      sizeBytes,
      bucket.id,
      Buffer.from(version.key),
      version.seq,
    );
    this.#blobs.release(version.content);
  }

  setStorageClass(bucket: Bucket, version: ObjectVersion, storageClass: string): void {
    this.#database.run(
      'UPDATE versions SET storage_class = ? WHERE bucket_id = ? AND key = ? AND seq = ?',
      storageClass,
      bucket.id,
      Buffer.from(version.key),
      version.seq,
    );
  }

  /** Versions in S3's order, from `start`; read lazily, so leave the loop when there are enough. */
  *scan(bucket: Bucket, start: ListingStart): Generator<ListedVersion> {
    const statement = `SELECT ${listedColumns} FROM versions
      WHERE bucket_id = ? AND key ${start.inclusive ? '>=' : '>'} ? ORDER BY key, seq DESC`;
    for (const row of this.#database.iterate(statement, bucket.id, start.key)) yield listedVersionOf(row);
  }

  /** The versions of one key that are older than a sequence number, newest first. */
  *scanOlder(bucket: Bucket, key: string, seq: number): Generator<ListedVersion> {
    const statement = `SELECT ${listedColumns} FROM versions
      WHERE bucket_id = ? AND key = ? AND seq < ? ORDER BY seq DESC`;
    for (const row of this.#database.iterate(statement, bucket.id, Buffer.from(key), seq)) yield listedVersionOf(row);
  }

  #makeRoom(bucket: Bucket, key: string, seq: number): string {
    if (bucket.versioning === 'Enabled') return newVersionId(seq);
    const replaced = this.find(bucket, key, nullVersionId);
    if (replaced !== undefined) this.remove(bucket, replaced);
    return nullVersionId;
  }
}

/** The id that a response names: none in a bucket that never had versioning. */
export function shownVersionId(bucket: Bucket, versionId: string): string | undefined {
  return bucket.versioning === '' ? undefined : versionId;
}
