import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BlobStore } from './blobs.ts';
import { BucketTable } from './buckets.ts';
import { Database } from './database.ts';
import { UploadTable } from './uploads.ts';
import { VersionTable } from './versions.ts';

/** Everything that survives a restart: an SQLite index and a folder of blobs. */
export interface Store {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly buckets: BucketTable;
  readonly versions: VersionTable;
  readonly uploads: UploadTable;
}

export function openStore(directory: string): Store {
  mkdirSync(directory, { recursive: true });
  const database = new Database(join(directory, 'index.sqlite'));
  const blobs = new BlobStore(database, join(directory, 'blobs'));
  return {
    database,
    blobs,
    buckets: new BucketTable(database),
    versions: new VersionTable(database, blobs),
    uploads: new UploadTable(database, blobs),
  };
}
