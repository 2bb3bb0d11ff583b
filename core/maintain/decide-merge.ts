import { byTime, findSnapshot, newestDirectory } from '../catalog.ts';
import { claimDirectory } from '../claims.ts';
import { InputInvalid } from '../errors.ts';
import { holdSnapshot } from '../holds.ts';
import { directoryOfId, nextSnapshotId } from '../ids.ts';
import type { SnapshotRecord, Tombstone } from '../records.ts';
import type { BackupState } from './backup-state.ts';
import { assertNotFrozen } from './decide-hiding.ts';
import { type Deciding, only, undeleteDaysOf } from './deciding.ts';
import { type MergePlan, tombstoneOfSource, writeMergeRanks } from './merge-plan.ts';
import { assertSure } from './sweeps.ts';

export interface Merging {
  readonly merge: MergePlan;
  /** What the new full holds. */
  readonly merged: { readonly snapshot: string; readonly parts: number; readonly bytes: number };
  /** What it will hide, when its full is committed and verified. */
  readonly tombstones: readonly Tombstone[];
  readonly notes: readonly string[];
}

/**
 * Chooses what becomes one. For a real run it also claims the directory of the new full, holds the snapshot that is copied, and lists its
 * ranks; all of it may be done again.
 * @throws InputInvalid, BackupFrozen, SnapshotNotFound, CatalogCorrupt
 */
export async function decideMerge(deciding: Deciding<'merge'>, ranksKey: string): Promise<Merging> {
  const { deps, input, owner } = deciding;
  const state = only(deciding);
  const { backup, nowEpochMillis } = state;
  assertNotFrozen(state);
  assertSure([state]);
  const sources = sourcesOf(state, findSnapshot(state.visible, backup, input.snapshot));
  const [newest] = sources.slice(-1);
  if (newest === undefined) {
    throw new TypeError('A merge has a source.');
  }
  const id = input.dryRun
    ? nextSnapshotId(nowEpochMillis, await newestDirectory(deps.vault, backup))
    : await prepare(deciding, newest, ranksKey);
  const merge: MergePlan = {
    backup,
    source: newest.snapshot,
    sources: sources.map(({ snapshot }) => snapshot),
    snapshot: directoryOfId(id),
    id,
    undeleteDays: undeleteDaysOf(deps.config, backup),
    ...(deps.config.vault.objectLock === undefined ? {} : { objectLock: deps.config.vault.objectLock }),
  };
  const { parts, bytes } = newest.totals;
  const pinned = sources.filter(({ snapshot }) => state.pins.some((pin) => pin.snapshot === snapshot));
  return {
    merge,
    merged: { snapshot: merge.snapshot, parts, bytes },
    tombstones: sources
      .filter((source) => !pinned.includes(source))
      .map((source) => tombstoneOfSource(merge, source, { owner, atEpochMillis: nowEpochMillis })),
    notes: pinned.map(({ snapshot }) => `${snapshot} is pinned: it is merged, and stays in the catalog.`),
  };
}

/**
 * The snapshot and what it builds on, as far as that is visible; oldest first. Its chain reaches beyond a base that was purged.
 */
function sourcesOf({ visible, backup }: BackupState, newest: SnapshotRecord): readonly SnapshotRecord[] {
  if (newest.base === undefined) {
    throw new InputInvalid(`${backup}/${newest.snapshot} is a full: there is nothing to merge.`, {
      hint: 'Name an incremental or a differential; it becomes one full with all that it builds on.',
    });
  }
  const records = new Map(visible.map((record) => [record.snapshot, record]));
  const sources = new Set(newest.chain.flatMap((snapshot) => records.get(snapshot) ?? []));
  for (let next: SnapshotRecord | undefined = newest; next !== undefined; next = records.get(next.base ?? '')) {
    sources.add(next);
  }
  return [...sources].sort(byTime);
}

/** @returns the id that was claimed */
async function prepare({ deps, owner }: Deciding<'merge'>, source: SnapshotRecord, ranksKey: string): Promise<string> {
  const { backup, snapshot } = source;
  const { execution, executionArn } = owner;
  const attempt = await claimDirectory(deps, { backup, owner, type: 'full' });
  await holdSnapshot(deps.work, deps.vault, { backup, snapshot, execution, executionArn, since: attempt.claimedAt });
  await writeMergeRanks(deps, source, ranksKey);
  return attempt.id;
}
