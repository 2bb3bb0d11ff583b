import { byTime } from '../catalog.ts';
import type { Lock, LockOwner } from '../locks.ts';
import type { Tombstone } from '../records.ts';
import { compareUtf8 } from '../utf8-order.ts';
import type { BackupState, HiddenSnapshot } from './backup-state.ts';
import { tombstoneOfAttempt } from './tombstones.ts';

/** As it will be read when these tombstones are written, also in its order: reports of dry runs must be those of real ones. */
export function withTombstones(state: BackupState, tombstones: readonly Tombstone[]): BackupState {
  const written = new Map(tombstones.map((tombstone) => [tombstone.snapshot, tombstone]));
  const records = new Map(state.visible.map((record) => [record.snapshot, record]));
  const unread = new Set(state.unreadable.map(({ snapshot }) => snapshot));
  const added = tombstones
    .filter(({ snapshot }) => !state.tombstones.has(snapshot))
    .map((tombstone): HiddenSnapshot => {
      const record = records.get(tombstone.snapshot);
      const recorded = record !== undefined || unread.has(tombstone.snapshot);
      return { snapshot: tombstone.snapshot, tombstone, record, recorded };
    });
  return {
    ...state,
    visible: state.visible.filter(({ snapshot }) => !written.has(snapshot)).sort(byTime),
    hidden: [...state.hidden, ...added].sort((left, right) => compareUtf8(left.snapshot, right.snapshot)),
    unfinished: state.unfinished.filter(({ attempt }) => !written.has(attempt.snapshot)),
    tombstones: new Set([...state.tombstones, ...written.keys()]),
  };
}

/** As a dry run must see it: a real run takes the lock of a dead execution, and hides what that one had claimed. */
export function withoutDeadAttempts(state: BackupState, dead: Lock | undefined, owner: LockOwner): BackupState {
  const claimed = state.unfinished.filter(({ attempt }) => attempt.nonce === dead?.nonce);
  const reason = `Execution ${dead?.execution} ended without giving back the lock of the backup.`;
  const facts = { action: 'steal' as const, reason, owner, atEpochMillis: state.nowEpochMillis };
  return withTombstones(
    state,
    claimed.map(({ attempt }) => tombstoneOfAttempt(attempt, facts)),
  );
}
