import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod/mini';
import { SampleInvalid } from './sample-file.ts';

interface AccountClusterOptions {
  readonly directory: string;
  /** Ranks 1 to `workers` hold accounts. @default 3 */
  readonly workers?: number;
  /** @default 2 */
  readonly tomsPerRank?: number;
  /** @default 200 */
  readonly accountsPerTom?: number;
  /** @default 100,000 */
  readonly openingBalanceCents?: number;
}

/** Knows every database of the cluster and the sum of all balances, so that a copy can be judged on its own. */
const CATALOG_PATH = 'rank-0/catalog.mdb';
const DATABASE_NAME = 'accounts.mdb';

const sumRow = z.object({ cents: z.int() });
const pathRows = z.array(z.object({ path: z.string() }));
const checkRows = z.array(z.object({ integrity_check: z.string() }));

/**
 * Writes a cluster whose TOMs are real SQLite databases: `rank-<n>/tom-<m>/accounts.mdb`, and `rank-0/catalog.mdb`.
 * Money only ever moves, so the sum of all balances tells whether copies of the databases belong to one point in time.
 */
export function createAccountCluster(options: AccountClusterOptions): void {
  const { directory, workers = 3, tomsPerRank = 2, accountsPerTom = 200, openingBalanceCents = 100_000 } = options;
  const paths: string[] = [];
  for (let rank = 1; rank <= workers; rank += 1) {
    for (let tom = 0; tom < tomsPerRank; tom += 1) {
      paths.push(`rank-${rank}/tom-${tom}/${DATABASE_NAME}`);
    }
  }
  for (const path of paths) {
    createAccounts(join(directory, path), accountsPerTom, openingBalanceCents);
  }
  createCatalog(join(directory, CATALOG_PATH), paths, paths.length * accountsPerTom * openingBalanceCents);
}

/**
 * Opens a database so that a file copied between two transactions is whole.
 *
 * journal_mode=DELETE: a commit returns when the pages are in the database file and the journal is gone, so one file holds everything.
 * With WAL, commits would lie in a second file until a checkpoint, and only both files of the same instant make a database.
 * synchronous=OFF: a copy reads through the same page cache; what a power cut would lose does not matter to a sample.
 */
export function openAccounts(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;');
  return database;
}

/** Paths inside the directory, in order: `rank-1/tom-0/accounts.mdb`. What is there, not what the catalog says. */
export function accountDatabases(directory: string): string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
  return paths.filter((path) => /^rank-\d+\/tom-\d+\/accounts\.mdb$/.test(path)).sort();
}

/** In cents, over all ranks. @throws Error of SQLite when a database cannot be read */
export function sumOfBalances(directory: string): number {
  const sums = accountDatabases(directory).map((path) =>
    readFrom(join(directory, path), (database) =>
      sumRow.parse(database.prepare('SELECT coalesce(sum(balance_cents), 0) AS cents FROM account').get()),
    ),
  );
  return sums.reduce((total, sum) => total + sum.cents, 0);
}

/**
 * Judges a copy at rest, without changing it: every database that the catalog names is there and passes SQLite's
 * integrity check, and no money has appeared or gone.
 * @returns problems in plain words, the first of each database; empty when all is well
 */
export function checkAccountCluster(directory: string): string[] {
  const broken = [CATALOG_PATH, ...accountDatabases(directory)].flatMap((path) => integrityProblems(directory, path));
  if (broken.length > 0) {
    return broken;
  }
  const { paths, cents } = readFrom(join(directory, CATALOG_PATH), (catalog) => ({
    paths: pathRows.parse(catalog.prepare('SELECT path FROM tom').all()).map((row) => row.path),
    cents: sumRow.parse(catalog.prepare('SELECT cents FROM bank').get()).cents,
  }));
  const present = new Set(accountDatabases(directory));
  const missing = paths.filter((path) => !present.has(path)).map((path) => `${path}: missing`);
  const foundCents = sumOfBalances(directory);
  const sum = foundCents === cents ? [] : [`the balances add up to ${foundCents} cents instead of ${cents}`];
  return [...missing, ...sum];
}

function integrityProblems(directory: string, path: string): string[] {
  try {
    return readFrom(join(directory, path), (database) =>
      checkRows.parse(database.prepare('PRAGMA integrity_check(1)').all()),
    )
      .filter((row) => row.integrity_check !== 'ok')
      .map((row) => `${path}: ${row.integrity_check.replaceAll('\n', ' ')}`);
  } catch (error) {
    return [`${path}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function readFrom<T>(path: string, read: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

function createAccounts(path: string, accounts: number, balanceCents: number): void {
  createDatabase(path, (database) => {
    database.exec(
      'CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0))',
    );
    const insert = database.prepare('INSERT INTO account VALUES (?, ?, ?)');
    for (let id = 1; id <= accounts; id += 1) {
      insert.run(id, `owner ${id}`, balanceCents);
    }
  });
}

function createCatalog(path: string, databases: readonly string[], cents: number): void {
  createDatabase(path, (database) => {
    database.exec('CREATE TABLE tom (path TEXT PRIMARY KEY); CREATE TABLE bank (cents INTEGER NOT NULL)');
    const insert = database.prepare('INSERT INTO tom VALUES (?)');
    for (const databasePath of databases) {
      insert.run(databasePath);
    }
    database.prepare('INSERT INTO bank VALUES (?)').run(cents);
  });
}

function createDatabase(path: string, fill: (database: DatabaseSync) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const database = openAccounts(path);
  try {
    if (database.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined) {
      throw new SampleInvalid(`${path} holds a database already; choose an empty directory.`);
    }
    database.exec('BEGIN');
    fill(database);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}
