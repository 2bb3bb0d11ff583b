import { acquireBackupLock } from '../claims.ts';
import { BackupInProgress, LockLost } from '../errors.ts';
import { assertLockHeld, type Lock, type LockDependencies, type LockOwner, releaseLock } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { backupLockKey } from '../work-layout.ts';

export interface WaitAnswer {
  readonly outcome: 'wait';
  readonly waitSeconds: number;
}

/** A snapshot may run for a day: 720 rounds of a few events each, of the 25,000 that an execution may have (Step Functions quotas). */
const LONG_WAIT: WaitAnswer = { outcome: 'wait', waitSeconds: 120 };
/** For who decides something in seconds, as this does. */
const SHORT_WAIT: WaitAnswer = { outcome: 'wait', waitSeconds: 5 };

export interface LockRequest {
  /** In order, so that no two runs wait for one another. */
  readonly backups: readonly string[];
  readonly owner: LockOwner;
  /** True: wait for a run that has a lock. */
  readonly wait: boolean;
}

/**
 * Acts under the locks of all these backups, and gives them back whatever comes of it. A second invocation of the same step may give
 * them back under this one: then nothing more is done here, and the next round finds what the other has left.
 * @param act must call `assertHeld` before each write that others must not interleave with
 * @throws BackupInProgress
 */
export async function underLocks<T>(
  deps: LockDependencies & { readonly vault: ObjectStore },
  request: LockRequest,
  act: (assertHeld: (backup: string) => Promise<void>) => Promise<T>,
): Promise<T | WaitAnswer> {
  const { backups, owner } = request;
  try {
    for (const backup of backups) {
      const lock = await acquireBackupLock(deps, backup, { ...owner, brief: true });
      if (lock.outcome === 'held') {
        return held(backup, lock.by, request.wait);
      }
    }
    return await act((backup) => assertLockHeld(deps.work, backupLockKey(backup), owner.nonce));
  } catch (error) {
    if (error instanceof LockLost) {
      return SHORT_WAIT;
    }
    throw error;
  } finally {
    for (const backup of backups) {
      await releaseLock(deps.work, backupLockKey(backup), owner.nonce);
    }
  }
}

function held(backup: string, by: Lock, wait: boolean): WaitAnswer {
  if (by.brief === true) {
    return SHORT_WAIT;
  }
  if (!wait) {
    throw new BackupInProgress(`Backup '${backup}' is held by execution ${by.execution} since ${by.acquiredAt}.`, {
      hint: 'Wait until it has ended, or add "wait": true; the lock of an execution that died is free 16 minutes after it stopped.',
    });
  }
  return LONG_WAIT;
}
