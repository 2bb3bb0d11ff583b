import pMap from 'p-map';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Tombstone } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import { ranksKey } from '../vault-layout.ts';
import type { BackupState, UnfinishedAttempt } from './backup-state.ts';
import { keptRecords } from './fates.ts';
import { type HidingFacts, tombstoneOfAttempt, tombstoneOfDirectory } from './tombstones.ts';

/** 48 hours: twice what a Snapshot may last (the timeout of its machine), so that nobody's work is taken for rubbish. */
export const ORPHAN_GRACE_MILLIS = 48 * 3_600_000;

/** Attempts that never became a snapshot and never will: their execution is over, and they were claimed long ago. */
export function orphansOf(state: BackupState): readonly UnfinishedAttempt[] {
  return state.unfinished.filter(({ attempt, mayWrite }) => {
    const claimed = epochMillisOfIso(attempt.claimedAt) ?? state.nowEpochMillis;
    return !mayWrite && claimed <= state.nowEpochMillis - ORPHAN_GRACE_MILLIS;
  });
}

const READ_CONCURRENCY = 16;

/**
 * Hides attempts. The bytes of a plain one go at once; one that looks like a committed snapshot, whose record somebody has deleted for
 * good, gets the window of `facts`: its list of ranks is written right before its record, and nobody builds on what has none.
 */
export async function tombstonesOfAttempts(
  vault: ObjectStore,
  state: BackupState,
  { attempts, facts }: { readonly attempts: readonly UnfinishedAttempt[]; readonly facts: HidingFacts },
): Promise<readonly Tombstone[]> {
  const named = new Set(keptRecords(state).flatMap(({ chain }) => chain));
  const hide = async ({ attempt }: UnfinishedAttempt): Promise<Tombstone> => {
    const { backup, snapshot } = attempt;
    const sealed = named.has(snapshot) || (await vault.head(ranksKey(backup, snapshot))) !== undefined;
    return sealed
      ? tombstoneOfDirectory(backup, snapshot, {
          ...facts,
          reason: `${facts.reason} It was complete but for its record.`,
        })
      : tombstoneOfAttempt(attempt, facts);
  };
  return pMap(attempts, hide, { concurrency: READ_CONCURRENCY });
}

/** What the operator should know of attempts that this run hides, or has hidden in an earlier try. */
export function vanishedNotes(state: BackupState, tombstones: readonly Tombstone[], executionArn: string): string[] {
  const own = state.hidden.map(({ tombstone }) => tombstone).filter((each) => each.executionArn === executionArn);
  return [...own, ...tombstones]
    .filter(
      ({ backup, at, bytesKeptUntil, record }) =>
        backup === state.backup && record === undefined && bytesKeptUntil > at,
    )
    .map(
      ({ backup, snapshot, bytesKeptUntil }) =>
        `${backup}/${snapshot} was complete and has no record: it failed right before its commit, or its record was deleted for good. Its bytes are kept until ${bytesKeptUntil}: if you have the record, put it back and undelete the snapshot.`,
    );
}

/** Nobody can say whose they are, so that nothing of them is ever deleted. */
export function unclaimedNotes({ backup, unclaimed }: BackupState): string[] {
  const [first] = unclaimed;
  if (first === undefined) {
    return [];
  }
  const more = unclaimed.length > 1 ? ` and ${unclaimed.length - 1} more` : '';
  return [
    `The attempt of ${backup}/${first}${more} cannot be read, and nothing of it is deleted: restore the earlier version of the object in the bucket, and the next collect decides on it.`,
  ];
}
