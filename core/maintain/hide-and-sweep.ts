import pMap from 'p-map';
import { readHolds } from '../holds.ts';
import type { Tombstone } from '../records.ts';
import type { MaintainRun } from '../run.ts';
import { pinKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { type BackupState, readBackupState, type StateDependencies } from './backup-state.ts';
import { assertSure, decideSweeps } from './sweeps.ts';
import { assertThawed } from './thawed.ts';
import { writeTombstone } from './tombstones.ts';
import { withTombstones } from './with-tombstones.ts';

/** Tombstones written at a time: each looks at the lock first. */
const WRITE_CONCURRENCY = 8;

/**
 * Writes the tombstones, then reads everything again, then decides what is swept: a reader holds first and looks for a tombstone
 * afterwards, so that one of both sees the other. A dry run decides as if the tombstones were there.
 *
 * A ghost of this step may have stalled while it wrote a tombstone, and found the lock given back and a snapshot planned on what it
 * hides: so the locks are looked at once more before what was read is believed. Whoever takes one after that sees the tombstones.
 * @returns the number of units to be surveyed
 * @throws CatalogCorrupt before anything is hidden, when it is not known what a kept snapshot names
 * @throws LockLost, BackupFrozen when somebody froze the backup meanwhile
 */
export async function hideAndSweep(
  deps: StateDependencies,
  request: {
    readonly run: MaintainRun;
    readonly keys: RunKeys;
    readonly states: readonly BackupState[];
    readonly tombstones: readonly Tombstone[];
    readonly collect: boolean;
    readonly assertHeld: (backup: string) => Promise<void>;
  },
): Promise<number> {
  const { run, keys, tombstones, collect, assertHeld } = request;
  const hidden = request.states.map((state) =>
    withTombstones(
      state,
      tombstones.filter(({ backup }) => backup === state.backup),
    ),
  );
  if (tombstones.length > 0) {
    assertSure(hidden);
  }
  if (run.dryRun) {
    return decideSweeps(deps, { run, keys, states: hidden, collect });
  }
  const write = async (tombstone: Tombstone) => {
    await assertHeld(tombstone.backup);
    await assertThawed(deps.vault, tombstone.backup);
    // Pinned since the decision, which takes no lock: it stays, and the sweep finds it visible.
    if ((await deps.vault.head(pinKey(tombstone.backup, tombstone.snapshot))) === undefined) {
      await writeTombstone(deps.vault, tombstone);
    }
  };
  await pMap(tombstones, write, { concurrency: WRITE_CONCURRENCY });
  const states = await pMap(hidden, (state) => readAgain(deps, state, tombstones.length > 0), { concurrency: 1 });
  for (const { backup } of states) {
    await assertHeld(backup);
  }
  assertSure(states);
  return decideSweeps(deps, { run, keys, states, collect });
}

/** Where nothing was hidden, what was read is as good as before; only our own hold may have been given back since. */
async function readAgain(deps: StateDependencies, state: BackupState, changed: boolean): Promise<BackupState> {
  return changed ? readBackupState(deps, state.backup) : { ...state, holds: await readHolds(deps, state.backup) };
}
