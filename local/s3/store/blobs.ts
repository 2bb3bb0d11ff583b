import { createReadStream, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Content, type Incoming, IncomingBlob, type Segment } from './content.ts';
import { bytesOf, type Database, integerOf, optionalTextOf } from './database.ts';

/** Objects up to this size live in the index itself: no file to open. */
export const inlineLimitBytes = 16 * 1024;

/** Read from a blob file at once. */
const readSizeBytes = 256 * 1024;

/**
 * The bytes of objects, in files named by number and never by key, each shared by every version that uses it.
 * A blob is counted in `refs`; at 0 it is deleted, at once or when its last reader is done, or at the next start.
 */
export class BlobStore {
  readonly #database: Database;
  readonly #directory: string;
  readonly #pins = new Map<number, number>();
  /** Released while somebody read them. */
  readonly #doomed = new Set<number>();

  constructor(database: Database, directory: string) {
    this.#database = database;
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    for (const row of database.all('SELECT id FROM blobs WHERE refs = 0')) this.#remove(integerOf(row, 'id'));
  }

  /** Starts a blob that goes to a file; it stays at 0 references, so that a crash leaves nothing behind. */
  createFile(): IncomingBlob {
    const id = this.#database.run('INSERT INTO blobs (refs, size) VALUES (0, 0)');
    this.#pin(id, 1);
    const path = this.#path(id);
    mkdirSync(join(path, '..'), { recursive: true });
    return new IncomingBlob(id, openSync(path, 'wx'));
  }

  /** Makes received bytes a content with one reference. Call in the transaction that uses it. */
  adopt(incoming: Incoming): Content {
    if (incoming.sizeBytes === 0) return [];
    if (incoming.kind === 'inline') {
      const id = this.#database.run(
        'INSERT INTO blobs (refs, size, data) VALUES (1, ?, ?)',
        incoming.sizeBytes,
        incoming.data,
      );
      return [{ blobId: id, offset: 0, length: incoming.sizeBytes }];
    }
    this.#database.run('UPDATE blobs SET refs = 1, size = ? WHERE id = ?', incoming.sizeBytes, incoming.blobId);
    this.#database.afterCommit(() => this.#pin(incoming.blobId, -1));
    return [{ blobId: incoming.blobId, offset: 0, length: incoming.sizeBytes }];
  }

  /** Forgets received bytes that no version uses. */
  discard(incoming: Incoming): void {
    if (incoming.kind !== 'file') return;
    this.#pin(incoming.blobId, -1);
    this.#removeIfUnused(incoming.blobId);
  }

  retain(content: Content): void {
    for (const { blobId } of content) this.#database.run('UPDATE blobs SET refs = refs + 1 WHERE id = ?', blobId);
  }

  release(content: Content): void {
    for (const { blobId } of content) {
      this.#database.run('UPDATE blobs SET refs = refs - 1 WHERE id = ?', blobId);
      this.#database.afterCommit(() => this.#removeIfUnused(blobId));
    }
  }

  /** Takes files away whose rows are about to go too. */
  forget(blobIds: readonly number[]): void {
    for (const id of blobIds) rmSync(this.#path(id), { force: true });
  }

  /** Keeps the bytes readable until the returned function is called, whatever is deleted meanwhile. */
  pin(content: Content): () => void {
    for (const { blobId } of content) this.#pin(blobId, 1);
    return () => {
      for (const { blobId } of content) {
        this.#pin(blobId, -1);
        if (!this.#pins.has(blobId) && this.#doomed.delete(blobId)) this.#removeIfUnused(blobId);
      }
    };
  }

  /** The bytes of a content that is one small blob; undefined when it has to be streamed. */
  readInline(content: Content): Buffer | undefined {
    if (content.length === 0) return Buffer.alloc(0);
    const [segment] = content;
    if (segment === undefined || content.length > 1) return undefined;
    return this.#inlineBytes(segment);
  }

  /** Streams a content; pin it for as long as this runs. */
  async *read(content: Content): AsyncGenerator<Buffer> {
    for (const segment of content) {
      const inline = this.#inlineBytes(segment);
      if (inline === undefined) {
        const { blobId, offset, length } = segment;
        const range = { start: offset, end: offset + length - 1, highWaterMark: readSizeBytes };
        for await (const chunk of createReadStream(this.#path(blobId), range)) yield toBuffer(chunk);
      } else {
        yield inline;
      }
    }
  }

  /** The known checksum of a segment that is a whole blob. */
  knownChecksum(segment: Segment, algorithm: string): string | undefined {
    if (!this.#isWhole(segment)) return undefined;
    const row = this.#database.get(
      'SELECT value FROM blob_checksums WHERE blob_id = ? AND algorithm = ?',
      segment.blobId,
      algorithm,
    );
    return row === undefined ? undefined : optionalTextOf(row, 'value');
  }

  /** Remembers a checksum, so that the next copy need not read the bytes. */
  rememberChecksum(segment: Segment, algorithm: string, value: string): void {
    if (!this.#isWhole(segment)) return;
    this.#database.run('INSERT OR IGNORE INTO blob_checksums VALUES (?, ?, ?)', segment.blobId, algorithm, value);
  }

  #isWhole(segment: Segment): boolean {
    if (segment.offset !== 0) return false;
    const row = this.#database.get('SELECT size FROM blobs WHERE id = ?', segment.blobId);
    return row !== undefined && integerOf(row, 'size') === segment.length;
  }

  #inlineBytes(segment: Segment): Buffer | undefined {
    const row = this.#database.get('SELECT data FROM blobs WHERE id = ?', segment.blobId);
    return bytesOf(row, 'data')?.subarray(segment.offset, segment.offset + segment.length);
  }

  #pin(blobId: number, by: 1 | -1): void {
    const pins = (this.#pins.get(blobId) ?? 0) + by;
    if (pins > 0) this.#pins.set(blobId, pins);
    else this.#pins.delete(blobId);
  }

  #removeIfUnused(blobId: number): void {
    if (this.#pins.has(blobId)) {
      this.#doomed.add(blobId);
      return;
    }
    const row = this.#database.get('SELECT refs FROM blobs WHERE id = ?', blobId);
    if (row !== undefined && integerOf(row, 'refs') === 0) this.#remove(blobId);
  }

  #remove(blobId: number): void {
    const row = this.#database.get('SELECT data FROM blobs WHERE id = ?', blobId);
    if (bytesOf(row, 'data') === undefined) rmSync(this.#path(blobId), { force: true });
    this.#database.run('DELETE FROM blobs WHERE id = ?', blobId);
    this.#database.run('DELETE FROM blob_checksums WHERE blob_id = ?', blobId);
  }

  #path(blobId: number): string {
    return join(this.#directory, String(Math.floor(blobId / 1000)), String(blobId));
  }
}

function toBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  throw new TypeError('A blob file was read as text; its stream must have no encoding.');
}
