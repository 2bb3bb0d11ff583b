import type { ObjectLockConfig } from './config/schema.ts';
import { CatalogCorrupt } from './errors.ts';
import type { RecordLock } from './records.ts';
import { epochMillisOfIso, isoOfEpochMillis } from './utc.ts';

const MILLIS_PER_DAY = 86_400_000;

/**
 * An hour after the commit: nothing of the snapshot is written later. A second try of its last steps may write until a Lambda ends
 * (15 minutes, Lambda quotas), and the clocks of two Lambdas differ by less than the rest.
 */
const LAST_WRITE_MILLIS = 3_600_000;

/** How long each object of the vault is locked, from its own creation. */
export function lockMillis({ retainDays, chainDays }: ObjectLockConfig): number {
  return (retainDays + chainDays) * MILLIS_PER_DAY;
}

/** A snapshot promises its bytes for so long, from the moment that it shows. */
export function promisedMillis({ retainDays }: ObjectLockConfig): number {
  return retainDays * MILLIS_PER_DAY;
}

export interface LockFacts {
  readonly objectLock: ObjectLockConfig;
  /** Start of the execution: nothing of the snapshot was written before. ISO 8601. */
  readonly startedAt: string;
  readonly takenAt: string;
  readonly committedAt: string;
  /** `chainUntil` of the base. @default - there is no base: a full, also one that was merged */
  readonly baseLockedUntil?: string;
}

/** What the record of a snapshot says of its locks. */
export function recordLockOf(facts: LockFacts): RecordLock {
  const { objectLock, startedAt, takenAt, committedAt, baseLockedUntil } = facts;
  const earliest = later(startedAt, lockMillis(objectLock));
  return {
    mode: objectLock.mode,
    promisedUntil: later(takenAt, promisedMillis(objectLock)),
    earliest,
    latest: later(committedAt, lockMillis(objectLock) + LAST_WRITE_MILLIS),
    chainUntil: baseLockedUntil === undefined || baseLockedUntil > earliest ? earliest : baseLockedUntil,
  };
}

function later(iso: string, spanMillis: number): string {
  const epochMillis = epochMillisOfIso(iso);
  if (epochMillis === undefined) {
    throw new CatalogCorrupt(`${JSON.stringify(iso)} is no time.`, {
      hint: 'Nothing was committed; start it again.',
    });
  }
  return isoOfEpochMillis(epochMillis + spanMillis);
}
