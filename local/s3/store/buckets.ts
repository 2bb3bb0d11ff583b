import { S3Error } from '../protocol/s3-error.ts';
import { type Database, integerOf, type Row, textOf } from './database.ts';

/** `''` means that versioning was never turned on. */
export type Versioning = '' | 'Enabled' | 'Suspended';

export interface Bucket {
  readonly id: number;
  readonly name: string;
  readonly createdEpochMillis: number;
  readonly versioning: Versioning;
  readonly objectLock: boolean;
}

export class BucketTable {
  readonly #database: Database;
  /** Every request needs its bucket; there are few of them. */
  readonly #known = new Map<string, Bucket>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.all('SELECT * FROM buckets')) {
      const bucket = bucketOf(row);
      this.#known.set(bucket.name, bucket);
    }
  }

  /** Throws NoSuchBucket. */
  require(name: string): Bucket {
    const bucket = this.#known.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { elements: { BucketName: name } });
  }

  /** In the order of their names. */
  list(): Bucket[] {
    return [...this.#known.values()].sort((a, b) => Buffer.from(a.name).compare(Buffer.from(b.name)));
  }

  create(bucket: Omit<Bucket, 'id'>): void {
    if (this.#known.has(bucket.name)) {
      throw new S3Error(
        'BucketAlreadyOwnedByYou',
        'The bucket that you tried to create already exists, and you own it.',
      );
    }
    const id = this.#database.run(
      'INSERT INTO buckets (name, created_ms, versioning, object_lock) VALUES (?, ?, ?, ?)',
      bucket.name,
      bucket.createdEpochMillis,
      bucket.versioning,
      bucket.objectLock ? 1 : 0,
    );
    this.#known.set(bucket.name, { ...bucket, id });
  }

  update(bucket: Bucket): void {
    this.#database.run(
      'UPDATE buckets SET versioning = ?, object_lock = ? WHERE id = ?',
      bucket.versioning,
      bucket.objectLock ? 1 : 0,
      bucket.id,
    );
    this.#known.set(bucket.name, bucket);
  }

  /** Throws BucketNotEmpty while a version, a delete marker or an upload is in it. */
  remove(bucket: Bucket): void {
    const used =
      this.#database.get('SELECT 1 FROM versions WHERE bucket_id = ? LIMIT 1', bucket.id) ??
      this.#database.get('SELECT 1 FROM uploads WHERE bucket_id = ? AND completed IS NULL LIMIT 1', bucket.id);
    if (used !== undefined) throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty');
    this.#database.run('DELETE FROM uploads WHERE bucket_id = ?', bucket.id);
    this.#database.run('DELETE FROM buckets WHERE id = ?', bucket.id);
    this.#known.delete(bucket.name);
  }
}

function bucketOf(row: Row): Bucket {
  const versioning = textOf(row, 'versioning');
  return {
    id: integerOf(row, 'id'),
    name: textOf(row, 'name'),
    createdEpochMillis: integerOf(row, 'created_ms'),
    versioning: versioning === 'Enabled' || versioning === 'Suspended' ? versioning : '',
    objectLock: integerOf(row, 'object_lock') === 1,
  };
}
