import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { checksumAlgorithms } from '../protocol/checksums.ts';
import { S3Error } from '../protocol/s3-error.ts';
import type { BlobStore } from './blobs.ts';
import type { Bucket } from './buckets.ts';
import { type Content, decodeContent, encodeContent } from './content.ts';
import { type Database, integerOf, keyOf, optionalTextOf, type Row, textOf } from './database.ts';

const headers = z.record(z.string(), z.string());

const uploadSpec = z.object({
  description: z.object({
    attributes: z.object({ system: headers, user: headers, encryption: headers }),
    storageClass: z.string(),
    lock: z.object({
      retention: z.optional(
        z.object({ mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), retainUntilEpochMillis: z.number() }),
      ),
      legalHold: z.optional(z.enum(['ON', 'OFF'])),
    }),
    tags: z.optional(z.string()),
  }),
  /** As asked for when the upload was created; none means that parts may carry no checksum. */
  checksum: z.optional(z.object({ algorithm: z.enum(checksumAlgorithms), type: z.enum(['FULL_OBJECT', 'COMPOSITE']) })),
});

const completedUpload = z.object({
  /** Digest of the request's part list. */
  parts: z.string(),
  versionId: z.string(),
  etag: z.string(),
  checksum: z.optional(
    z.object({
      algorithm: z.enum(checksumAlgorithms),
      type: z.enum(['FULL_OBJECT', 'COMPOSITE']),
      value: z.string(),
    }),
  ),
});

export type UploadSpec = z.output<typeof uploadSpec>;
export type CompletedUpload = z.output<typeof completedUpload>;

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiatedEpochMillis: number;
  readonly spec: UploadSpec;
  readonly completed: CompletedUpload | undefined;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly modifiedEpochMillis: number;
  /** base64, in the algorithm of the upload, or in S3's default when it has none. */
  readonly checksum: string | undefined;
  readonly content: Content;
}

/** Multipart uploads and their parts. */
export class UploadTable {
  readonly #database: Database;
  readonly #blobs: BlobStore;

  constructor(database: Database, blobs: BlobStore) {
    this.#database = database;
    this.#blobs = blobs;
  }

  create(bucket: Bucket, key: string, initiatedEpochMillis: number, spec: UploadSpec): string {
    const id = randomBytes(48).toString('base64url');
    this.#database.run(
      'INSERT INTO uploads VALUES (?, ?, ?, ?, ?, NULL, NULL)',
      id,
      bucket.id,
      Buffer.from(key),
      initiatedEpochMillis,
      JSON.stringify(spec),
    );
    return id;
  }

  /** An upload of this key, finished or not. Throws NoSuchUpload. */
  require(bucket: Bucket, key: string, id: string): Upload {
    const row = this.#database.get('SELECT * FROM uploads WHERE id = ? AND bucket_id = ?', id, bucket.id);
    const upload = row === undefined ? undefined : uploadOf(row);
    if (upload === undefined || upload.key !== key) throw noSuchUpload();
    return upload;
  }

  /** An upload that still takes parts. Throws NoSuchUpload. */
  requireOpen(bucket: Bucket, key: string, id: string): Upload {
    const upload = this.require(bucket, key, id);
    if (upload.completed !== undefined) throw noSuchUpload();
    return upload;
  }

  /** Puts a part in place of the one with its number. */
  putPart(upload: Upload, part: Part): void {
    const replaced = this.#database.get(
      'SELECT content FROM parts WHERE upload_id = ? AND number = ?',
      upload.id,
      part.number,
    );
    this.#database.run(
      'INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)',
      upload.id,
      part.number,
      part.etag,
      part.sizeBytes,
      part.modifiedEpochMillis,
      part.checksum ?? null,
      encodeContent(part.content),
    );
    if (replaced !== undefined) this.#blobs.release(decodeContent(textOf(replaced, 'content')));
  }

  /** At most `limit` parts with greater numbers, in order. */
  parts(upload: Upload, afterNumber: number, limit: number): Part[] {
    const statement = 'SELECT * FROM parts WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?';
    return this.#database.all(statement, upload.id, afterNumber, limit).map(partOf);
  }

  /** Forgets the upload's parts; their bytes go unless something else holds them. */
  removeParts(upload: Upload): void {
    for (const row of this.#database.all('SELECT content FROM parts WHERE upload_id = ?', upload.id)) {
      this.#blobs.release(decodeContent(textOf(row, 'content')));
    }
    this.#database.run('DELETE FROM parts WHERE upload_id = ?', upload.id);
  }

  remove(upload: Upload): void {
    this.removeParts(upload);
    this.#database.run('DELETE FROM uploads WHERE id = ?', upload.id);
  }

  /** Remembers how the upload ended, so that the same request sent again gets the same answer. */
  markCompleted(upload: Upload, completed: CompletedUpload, atEpochMillis: number): void {
    const statement = 'UPDATE uploads SET completed = ?, completed_ms = ? WHERE id = ?';
    this.#database.run(statement, JSON.stringify(completed), atEpochMillis, upload.id);
  }

  forgetCompletedBefore(epochMillis: number): void {
    this.#database.run('DELETE FROM uploads WHERE completed_ms < ?', epochMillis);
  }

  /** Open uploads in S3's order: by key, then by time; read lazily. */
  *scan(bucket: Bucket, fromKey: string): Generator<Upload> {
    const statement = `SELECT * FROM uploads WHERE bucket_id = ? AND key >= ? AND completed IS NULL
      ORDER BY key, initiated_ms, id`;
    for (const row of this.#database.iterate(statement, bucket.id, Buffer.from(fromKey))) yield uploadOf(row);
  }
}

function noSuchUpload(): S3Error {
  return new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  );
}

function uploadOf(row: Row): Upload {
  const completed = optionalTextOf(row, 'completed');
  return {
    id: textOf(row, 'id'),
    key: keyOf(row, 'key'),
    initiatedEpochMillis: integerOf(row, 'initiated_ms'),
    spec: uploadSpec.parse(JSON.parse(textOf(row, 'spec'))),
    completed: completed === undefined ? undefined : completedUpload.parse(JSON.parse(completed)),
  };
}

function partOf(row: Row): Part {
  return {
    number: integerOf(row, 'number'),
    etag: textOf(row, 'etag'),
    sizeBytes: integerOf(row, 'size'),
    modifiedEpochMillis: integerOf(row, 'modified_ms'),
    checksum: optionalTextOf(row, 'checksum'),
    content: decodeContent(textOf(row, 'content')),
  };
}
