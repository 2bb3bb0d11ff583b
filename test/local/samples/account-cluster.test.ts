import { copyFile, cp, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  accountDatabases,
  checkAccountCluster,
  createAccountCluster,
  sumOfBalances,
} from '../../../local/samples/account-cluster.ts';
import { Bank } from '../../../local/samples/bank.ts';
import { readTree } from '../../../local/samples/compare-trees.ts';
import { createHoldableGate } from '../../../local/samples/write-gate.ts';
import { scratchDirectory } from './scratch.ts';

const SMALL = { workers: 2, tomsPerRank: 2, accountsPerTom: 10, openingBalanceCents: 5000 };
const TOTAL_CENTS = 2 * 2 * 10 * 5000;

async function openCluster() {
  const scratch = await scratchDirectory();
  const directory = join(scratch.path, 'cluster');
  createAccountCluster({ directory, ...SMALL });
  const bank = new Bank({ directory, seed: 'one' });
  return {
    directory,
    copy: join(scratch.path, 'copy'),
    bank,
    [Symbol.asyncDispose]: async () => {
      bank.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

describe('an account cluster', () => {
  it('has a database for every TOM and a catalog in rank 0, all sound', async () => {
    await using cluster = await openCluster();
    expect(accountDatabases(cluster.directory)).toEqual([
      'rank-1/tom-0/accounts.mdb',
      'rank-1/tom-1/accounts.mdb',
      'rank-2/tom-0/accounts.mdb',
      'rank-2/tom-1/accounts.mdb',
    ]);
    expect(sumOfBalances(cluster.directory)).toBe(TOTAL_CENTS);
    expect(checkAccountCluster(cluster.directory)).toEqual([]);
  });

  it('keeps the sum under many transfers, each between two ranks', async () => {
    await using cluster = await openCluster();
    const transfers = Array.from({ length: 400 }, () => cluster.bank.transfer());
    expect(transfers.filter(({ from, to }) => from.slice(0, 6) === to.slice(0, 6))).toEqual([]);
    expect(transfers.some(({ cents }) => cents > 0)).toBe(true);
    expect(checkAccountCluster(cluster.directory)).toEqual([]);
  });

  it('makes the same transfers for the same seed', async () => {
    await using first = await openCluster();
    await using second = await openCluster();
    const ten = (bank: Bank) => Array.from({ length: 10 }, () => bank.transfer());
    expect(ten(first.bank)).toEqual(ten(second.bank));
    expect(await bytesOf(first.directory)).toEqual(await bytesOf(second.directory));
  });

  it('leaves nothing but the databases at rest, so that a copy of the files is whole', async () => {
    await using cluster = await openCluster();
    cluster.bank.transfer();
    const files = (await readTree(cluster.directory)).filter((entry) => entry.kind === 'file');
    expect(files.map((entry) => entry.path)).toEqual(['rank-0/catalog.mdb', ...accountDatabases(cluster.directory)]);
    await cp(cluster.directory, cluster.copy, { recursive: true });
    cluster.bank.transfer();
    expect(checkAccountCluster(cluster.copy)).toEqual([]);
  });

  it('betrays a torn copy by its sum: two databases copied around a transfer', async () => {
    await using cluster = await openCluster();
    await cp(cluster.directory, cluster.copy, { recursive: true });
    const { from, cents } = cluster.bank.transfer();
    await copyFile(join(cluster.directory, from), join(cluster.copy, from));
    expect(cents).toBeGreaterThan(0);
    expect(sumOfBalances(cluster.copy)).toBe(TOTAL_CENTS - cents);
    expect(checkAccountCluster(cluster.copy)).toEqual([
      `the balances add up to ${TOTAL_CENTS - cents} cents instead of ${TOTAL_CENTS}`,
    ]);
  });

  it('names a database that is missing', async () => {
    await using cluster = await openCluster();
    await cp(cluster.directory, cluster.copy, { recursive: true });
    await rm(join(cluster.copy, 'rank-2/tom-1/accounts.mdb'));
    expect(checkAccountCluster(cluster.copy)[0]).toBe('rank-2/tom-1/accounts.mdb: missing');
  });

  it('names a database that is cut off or none at all', async () => {
    await using cluster = await openCluster();
    await cp(cluster.directory, cluster.copy, { recursive: true });
    await truncate(join(cluster.copy, 'rank-1/tom-1/accounts.mdb'), 5000);
    await writeFile(join(cluster.copy, 'rank-2/tom-0/accounts.mdb'), Buffer.alloc(8192, 'x'));
    const [cutOff, none, ...others] = checkAccountCluster(cluster.copy);
    expect(cutOff).toMatch(/^rank-1\/tom-1\/accounts\.mdb: .+/);
    expect(none).toBe('rank-2/tom-0/accounts.mdb: file is not a database');
    expect(others).toEqual([]);
  });

  it('is left unchanged by a check', async () => {
    await using cluster = await openCluster();
    const before = await readTree(cluster.directory);
    checkAccountCluster(cluster.directory);
    expect(await readTree(cluster.directory)).toEqual(before);
  });

  it('refuses a bank of one rank, and a second cluster in the same place', async () => {
    await using scratch = await scratchDirectory();
    const directory = scratch.path;
    createAccountCluster({ directory, ...SMALL, workers: 1 });
    expect(() => new Bank({ directory, seed: 'one' })).toThrow('fewer than two ranks');
    expect(() => createAccountCluster({ directory, ...SMALL })).toThrow('holds a database already');
  });
});

describe('a running bank', () => {
  it('stands still behind a shut gate with the right sum, and goes on after the release', async () => {
    await using cluster = await openCluster();
    const { gate, hold, release } = createHoldableGate();
    const stop = new AbortController();
    const running = cluster.bank.run({ until: stop.signal, gate });
    await turns(20);
    await hold();
    const held = await bytesOf(cluster.directory);
    await turns(20);
    expect(await bytesOf(cluster.directory)).toEqual(held);
    expect(checkAccountCluster(cluster.directory)).toEqual([]);
    release();
    await turns(20);
    stop.abort();
    expect(await running).toBeGreaterThan(20);
    expect(await bytesOf(cluster.directory)).not.toEqual(held);
    expect(checkAccountCluster(cluster.directory)).toEqual([]);
  });
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await setImmediate();
  }
}

async function bytesOf(directory: string): Promise<readonly string[]> {
  return (await readTree(directory)).map((entry) => `${entry.path} ${entry.sha256}`);
}
