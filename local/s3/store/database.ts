import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

/**
 * Keys are BLOBs: SQLite compares them byte by byte, which is S3's UTF-8 order.
 * The newest version of a key comes first (`seq DESC`), which is S3's order too.
 */
const schema = `
CREATE TABLE IF NOT EXISTS sequence (only INTEGER PRIMARY KEY CHECK (only = 1), next INTEGER NOT NULL);
INSERT OR IGNORE INTO sequence VALUES (1, 1);
CREATE TABLE IF NOT EXISTS buckets (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
  versioning TEXT NOT NULL, object_lock INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS blobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, refs INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB);
CREATE INDEX IF NOT EXISTS unused_blobs ON blobs (id) WHERE refs = 0;
CREATE TABLE IF NOT EXISTS blob_checksums (
  blob_id INTEGER NOT NULL, algorithm TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (blob_id, algorithm)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions (
  bucket_id INTEGER NOT NULL, key BLOB NOT NULL, seq INTEGER NOT NULL, version_id TEXT NOT NULL,
  is_marker INTEGER NOT NULL, modified_ms INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
  storage_class TEXT NOT NULL, checksum_algorithm TEXT, checksum_type TEXT, checksum_value TEXT,
  retention_mode TEXT, retain_until_ms INTEGER, legal_hold TEXT,
  attributes TEXT NOT NULL, tags TEXT, content TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key, seq DESC)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
  id TEXT PRIMARY KEY, bucket_id INTEGER NOT NULL, key BLOB NOT NULL, initiated_ms INTEGER NOT NULL,
  spec TEXT NOT NULL, completed TEXT, completed_ms INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket_id, key, initiated_ms, id);
CREATE TABLE IF NOT EXISTS parts (
  upload_id TEXT NOT NULL, number INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
  modified_ms INTEGER NOT NULL, checksum TEXT, content TEXT NOT NULL,
  PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
`;

/** Sequence numbers reserved by one write to the disk. */
const sequenceBlock = 1_000_000;

/** More than one transaction ever uses: DeleteObjects takes 1,000 keys. */
const sequenceReserve = 10_000;

export type Row = Record<string, SQLOutputValue>;

/** The one connection to the index, with its statements prepared once. */
export class Database {
  readonly #sql: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #afterCommit: (() => void)[] = [];
  #inTransaction = false;
  #nextSequence = 0;
  #sequenceLimit = 0;

  constructor(path: string) {
    this.#sql = new DatabaseSync(path);
    // Not fsynced: what was answered survives the death of the process, not of the machine. It is a test server.
    this.#sql.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;',
    );
    this.#sql.exec('PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000;');
    this.#sql.exec(schema);
  }

  run(statement: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(statement).run(...values).lastInsertRowid);
  }

  get(statement: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(statement).get(...values);
  }

  all(statement: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(statement).all(...values);
  }

  /** Rows one by one; leave the loop before running the same statement again. */
  iterate(statement: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#prepare(statement).iterate(...values);
  }

  /** All or nothing. Work is synchronous, so no other request can come in between. */
  transaction<Result>(work: () => Result): Result {
    if (this.#inTransaction) return work();
    // Reserved outside the transaction: a rollback must not give numbers back that are in use.
    if (this.#sequenceLimit - this.#nextSequence < sequenceReserve) this.#reserveSequence();
    this.run('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    try {
      const result = work();
      this.run('COMMIT');
      this.#inTransaction = false;
      for (const act of this.#afterCommit.splice(0)) act();
      return result;
    } catch (error) {
      if (this.#inTransaction) {
        this.#inTransaction = false;
        this.#afterCommit.length = 0;
        this.run('ROLLBACK');
      }
      throw error;
    }
  }

  /** Runs `act` once the running transaction has committed, never if it rolls back. */
  afterCommit(act: () => void): void {
    if (this.#inTransaction) this.#afterCommit.push(act);
    else act();
  }

  /** A number greater than all before it, also those of earlier processes. */
  nextSequence(): number {
    this.#nextSequence += 1;
    return this.#nextSequence;
  }

  close(): void {
    this.#statements.clear();
    this.#sql.close();
  }

  #reserveSequence(): void {
    const row = this.get('UPDATE sequence SET next = next + ? RETURNING next', sequenceBlock);
    this.#sequenceLimit = integerOf(row, 'next');
    this.#nextSequence = this.#sequenceLimit - sequenceBlock;
  }

  #prepare(statement: string): StatementSync {
    let prepared = this.#statements.get(statement);
    if (prepared === undefined) {
      prepared = this.#sql.prepare(statement);
      this.#statements.set(statement, prepared);
    }
    return prepared;
  }
}

function mistyped(column: string): Error {
  return new Error(`The index of the local S3 has a damaged column '${column}'; delete its directory and start again.`);
}

export function textOf(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (typeof value !== 'string') throw mistyped(column);
  return value;
}

export function optionalTextOf(row: Row | undefined, column: string): string | undefined {
  const value = row?.[column];
  return typeof value === 'string' ? value : undefined;
}

export function integerOf(row: Row | undefined, column: string): number {
  const value = row?.[column];
  if (typeof value !== 'number') throw mistyped(column);
  return value;
}

export function optionalIntegerOf(row: Row | undefined, column: string): number | undefined {
  const value = row?.[column];
  return typeof value === 'number' ? value : undefined;
}

/** A key column back as text. */
export function keyOf(row: Row | undefined, column: string): string {
  const value = row?.[column];
  if (!(value instanceof Uint8Array)) throw mistyped(column);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}

export function bytesOf(row: Row | undefined, column: string): Buffer | undefined {
  const value = row?.[column];
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
}
