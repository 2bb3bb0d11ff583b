import type { Tombstone } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import type { BackupState } from './backup-state.ts';
import { type HidingFacts, tombstoneOfAttempt } from './tombstones.ts';

/** 48 hours: twice what a Snapshot may last (the timeout of its machine), so that nobody's work is taken for rubbish. */
export const ORPHAN_GRACE_MILLIS = 48 * 3_600_000;

/** Attempts that never became a snapshot and never will: their execution is over, and they were claimed long ago. */
export function orphansOf(state: BackupState, facts: Omit<HidingFacts, 'keptForDays'>): readonly Tombstone[] {
  return state.unfinished
    .filter(({ attempt, mayWrite }) => {
      const claimed = epochMillisOfIso(attempt.claimedAt) ?? state.nowEpochMillis;
      return !mayWrite && claimed <= state.nowEpochMillis - ORPHAN_GRACE_MILLIS;
    })
    .map(({ attempt }) => tombstoneOfAttempt(attempt, facts));
}
