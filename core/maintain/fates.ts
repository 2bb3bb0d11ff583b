import type { SnapshotRecord, Tombstone } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import type { BackupState, HiddenSnapshot } from './backup-state.ts';

/**
 * Hidden, past its window, and nobody reads it: what it stored goes, except what a kept snapshot names. Whatever could still make it
 * needed keeps it: a reader's hold, and an attempt that builds on it and whose last worker may not have died yet.
 */
export function isDead(state: BackupState, hidden: HiddenSnapshot): boolean {
  return (
    !isInWindow(hidden.tombstone, state.nowEpochMillis) &&
    !isHeld(state, hidden.snapshot) &&
    !state.unfinished.some(({ attempt, mayWrite }) => mayWrite && attempt.base === hidden.snapshot)
  );
}

/** A date that cannot be read has not come. */
export function isInWindow({ bytesKeptUntil }: Tombstone, nowEpochMillis: number): boolean {
  return (epochMillisOfIso(bytesKeptUntil) ?? Number.POSITIVE_INFINITY) > nowEpochMillis;
}

function isHeld({ holds }: BackupState, snapshot: string): boolean {
  return holds.some((hold) => hold.snapshot === snapshot && !hold.stale);
}

/** The referrers: everything that their manifests name stays. */
export function keptRecords(state: BackupState): readonly SnapshotRecord[] {
  const hidden = state.hidden.filter((each) => !isDead(state, each)).flatMap(({ record }) => record ?? []);
  return [...state.visible, ...hidden];
}

/** Hidden ones that can be undeleted. */
export function inWindow(state: BackupState): readonly HiddenSnapshot[] {
  return state.hidden.filter(
    ({ tombstone, recorded }) =>
      recorded && tombstone.record !== undefined && isInWindow(tombstone, state.nowEpochMillis),
  );
}

/** The date until which what the snapshot stored is locked; undefined when it has passed, or there is no lock. */
export function lockedUntil(
  facts: Pick<SnapshotRecord, 'lock'> | undefined,
  nowEpochMillis: number,
): string | undefined {
  const latest = facts?.lock?.latest;
  return latest !== undefined && (epochMillisOfIso(latest) ?? Number.POSITIVE_INFINITY) > nowEpochMillis
    ? latest
    : undefined;
}
