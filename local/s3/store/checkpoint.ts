import { type Database, integerOf } from './database.ts';
import type { Store } from './store.ts';

/** Goes back to a moment of the past, as often as one likes. */
export interface Checkpoint {
  /** Makes every object, version and upload what it was. No request may be under way. */
  restore(): void;
  /** Forgets the moment. */
  release(): void;
}

/** Buckets stay as they are: they are made once. */
const TABLES = ['blobs', 'blob_checksums', 'versions', 'uploads', 'parts'] as const;

let lastNumber = 0;

/** Remembers everything that is in the buckets. Blob files of that moment are kept, whatever is deleted. */
export function checkpointOf({ database, blobs }: Pick<Store, 'database' | 'blobs'>): Checkpoint {
  lastNumber += 1;
  const saved = (table: string) => `temp.saved_${lastNumber}_${table}`;
  const names = TABLES.map((table) => ({ table, copy: saved(table) }));
  const held = filesOf(database).map((blobId) => ({ blobId, offset: 0, length: 0 }));
  blobs.retain(held);
  for (const { table, copy } of names) database.run(`CREATE TABLE ${copy} AS SELECT * FROM ${table}`);
  return {
    restore: () => {
      const later = filesOf(database).filter((id) => !held.some(({ blobId }) => blobId === id));
      blobs.forget(later);
      database.transaction(() => {
        for (const { table, copy } of names) {
          database.run(`DELETE FROM ${table}`);
          database.run(`INSERT INTO ${table} SELECT * FROM ${copy}`);
        }
      });
    },
    release: () => {
      for (const { copy } of names) database.run(`DROP TABLE ${copy}`);
      database.transaction(() => blobs.release(held));
    },
  };
}

/** Ids of the blobs that are files of their own. */
function filesOf(database: Database): number[] {
  return database.all('SELECT id FROM blobs WHERE data IS NULL').map((row) => integerOf(row, 'id'));
}
