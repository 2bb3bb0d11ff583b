import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import * as z from 'zod/mini';
import { accountDatabases, openAccounts } from './account-cluster.ts';
import { createRandom, type Random, randomBelow } from './random.ts';
import { SampleInvalid } from './sample-file.ts';
import { alwaysOpen, type WriteGate } from './write-gate.ts';

interface Transfer {
  /** Path of the database that paid: `rank-1/tom-0/accounts.mdb`. */
  readonly from: string;
  /** Always of another rank. */
  readonly to: string;
  /** 0 when the account that should have paid was empty. */
  readonly cents: number;
}

interface Branch {
  readonly path: string;
  readonly rank: string;
  readonly database: DatabaseSync;
  readonly accounts: number;
  readonly balance: StatementSync;
  readonly add: StatementSync;
}

const branchRow = z.object({ accounts: z.int() });
const balanceRow = z.object({ cents: z.int() });

/**
 * Moves money between the databases of an account cluster; which accounts and how much follow from the seed.
 *
 * A transfer is two transactions in two databases, so the sum over all ranks is right only between transfers. It is one synchronous
 * turn: nobody sees the middle of one, and behind a shut gate every database is at rest. Copies made while the bank runs are of different
 * moments, and their sum is wrong.
 */
export class Bank {
  readonly #branches: readonly Branch[];
  readonly #random: Random;

  /** Opens an account cluster, a restored one too. @throws SampleInvalid with fewer than two ranks */
  constructor(options: { readonly directory: string; readonly seed: string }) {
    const paths = accountDatabases(options.directory);
    if (new Set(paths.map(rankOf)).size < 2) {
      throw new SampleInvalid(
        `${options.directory} has accounts in fewer than two ranks; create a cluster with two workers or more.`,
      );
    }
    this.#branches = paths.map((path) => openBranch(options.directory, path));
    this.#random = createRandom(`bank ${options.seed}`);
  }

  /** One transfer between two ranks. */
  transfer(): Transfer {
    const from = this.#pick(this.#branches);
    const to = this.#pick(this.#branches.filter((branch) => branch.rank !== from.rank));
    const payer = 1 + randomBelow(this.#random, from.accounts);
    const payee = 1 + randomBelow(this.#random, to.accounts);
    const wanted = 1 + randomBelow(this.#random, 5000);
    const cents = Math.min(wanted, balanceRow.parse(from.balance.get(payer)).cents);
    from.add.run(-cents, payer);
    to.add.run(cents, payee);
    return { from: from.path, to: to.path, cents };
  }

  /**
   * Transfers until the signal is aborted, each through the gate and each in a turn of the event loop of its own.
   * It waits at a shut gate even when aborted: release it first.
   * @returns how many transfers were made
   */
  async run(options: { readonly until: AbortSignal; readonly gate?: WriteGate }): Promise<number> {
    const gate = options.gate ?? alwaysOpen;
    let transfers = 0;
    while (!options.until.aborted) {
      await gate(async () => {
        this.transfer();
      });
      transfers += 1;
      await setImmediate();
    }
    return transfers;
  }

  close(): void {
    for (const branch of this.#branches) {
      branch.database.close();
    }
  }

  #pick(branches: readonly Branch[]): Branch {
    const branch = branches[randomBelow(this.#random, branches.length)];
    if (branch === undefined) {
      throw new SampleInvalid('The bank has no branch in another rank; create a cluster with two workers or more.');
    }
    return branch;
  }
}

function rankOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}

function openBranch(directory: string, path: string): Branch {
  const database = openAccounts(join(directory, path));
  return {
    path,
    rank: rankOf(path),
    database,
    accounts: branchRow.parse(database.prepare('SELECT count(*) AS accounts FROM account').get()).accounts,
    balance: database.prepare('SELECT balance_cents AS cents FROM account WHERE id = ?'),
    add: database.prepare('UPDATE account SET balance_cents = balance_cents + ? WHERE id = ?'),
  };
}
