import pMap from 'p-map';
import { readHolds } from '../holds.ts';
import type { Tombstone } from '../records.ts';
import type { MaintainRun } from '../run.ts';
import type { RunKeys } from '../work-layout.ts';
import type { BackupState, StateDependencies } from './backup-state.ts';
import { assertSure, decideSweeps } from './sweeps.ts';
import { writeTombstone } from './tombstones.ts';
import { withTombstones } from './with-tombstones.ts';

/** Tombstones written at a time: each looks at the lock first. */
const WRITE_CONCURRENCY = 8;

/**
 * Writes the tombstones, then looks for readers, then decides what is swept: a reader holds first and looks for a tombstone
 * afterwards, so that one of both sees the other. A dry run decides as if the tombstones were there.
 * @returns the number of units to be surveyed
 * @throws CatalogCorrupt before anything is hidden, when it is not known what a kept snapshot names
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
    await writeTombstone(deps.vault, tombstone);
  };
  await pMap(tombstones, write, { concurrency: WRITE_CONCURRENCY });
  const states = await pMap(hidden, async (state) => ({ ...state, holds: await readHolds(deps, state.backup) }), {
    concurrency: 1,
  });
  assertSure(states);
  return decideSweeps(deps, { run, keys, states, collect });
}
