import { VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { LockOwner } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type Attempt, type SnapshotRecord, type Tombstone, tombstoneSchema } from '../records.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { tombstoneKey } from '../vault-layout.ts';

export const MILLIS_PER_DAY = 86_400_000;

export interface HidingFacts {
  readonly action: Tombstone['action'];
  readonly reason: string;
  readonly owner: Pick<LockOwner, 'execution' | 'executionArn'>;
  readonly atEpochMillis: number;
  /** Days for which it can be undeleted; 0: its bytes go at once. */
  readonly keptForDays: number;
}

export function tombstoneOf(record: SnapshotRecord, facts: HidingFacts): Tombstone {
  const { id, type, takenAt, totals, lock } = record;
  const known = { id, type, takenAt, totals, ...(lock === undefined ? {} : { lock }) };
  return { ...tombstoneOfDirectory(record.backup, record.snapshot, facts), record: known };
}

/** Of an attempt that never became a snapshot: there is nothing to be undeleted. */
export function tombstoneOfAttempt(attempt: Attempt, facts: Omit<HidingFacts, 'keptForDays'>): Tombstone {
  return tombstoneOfDirectory(attempt.backup, attempt.snapshot, { ...facts, keptForDays: 0 });
}

/** Of a directory whose record cannot be read. */
export function tombstoneOfDirectory(backup: string, snapshot: string, facts: HidingFacts): Tombstone {
  const { action, reason, owner, atEpochMillis, keptForDays } = facts;
  return {
    formatVersion: FORMAT_VERSION,
    backup,
    snapshot,
    action,
    reason,
    at: isoOfEpochMillis(atEpochMillis),
    execution: owner.execution,
    executionArn: owner.executionArn,
    bytesKeptUntil: isoOfEpochMillis(atEpochMillis + keptForDays * MILLIS_PER_DAY),
  };
}

/**
 * Hides a snapshot: from here on the catalog does not show it. Whoever calls this holds the backup's lock.
 * @returns the tombstone that is there now: this one, or an earlier one, which stays
 * @throws VaultKeyTaken when somebody takes tombstones away while they are written
 */
export async function writeTombstone(vault: ObjectStore, tombstone: Tombstone): Promise<Tombstone> {
  const key = tombstoneKey(tombstone.backup, tombstone.snapshot);
  if ((await createJson(vault, key, tombstone)) === 'created') {
    return tombstone;
  }
  const present = await readJson(vault, key, tombstoneSchema);
  if (present === undefined) {
    throw new VaultKeyTaken(`${key} existed and was gone a moment later.`, {
      hint: 'Somebody writes into the catalog by hand: find out who, then start this one again.',
    });
  }
  return present.value;
}
