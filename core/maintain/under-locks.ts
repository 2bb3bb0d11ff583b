import { acquireBackupLock } from '../claims.ts';
import { BackupInProgress, LockLost } from '../errors.ts';
import {
  type Acquired,
  assertLockHeld,
  type Lock,
  type LockDependencies,
  type LockOwner,
  lockSchema,
  mayBeStolen,
  releaseLock,
} from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from '../stored-json.ts';
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
  /**
   * True: leave the lock of a dead execution where it is, because taking it hides what that execution claimed, and go on without: nobody
   * else can be deciding. @default false
   */
  readonly dryRun?: boolean;
}

/** The locks of a backup as `act` finds them. */
export interface Locked {
  /** To be called before each write that others must not interleave with. */
  readonly assertHeld: (backup: string) => Promise<void>;
  /** Of a dry run: locks of dead executions, by backup. */
  readonly dead: ReadonlyMap<string, Lock>;
}

type LocksDependencies = LockDependencies & { readonly vault: ObjectStore };

/**
 * Acts under the locks of all these backups, and gives them back whatever comes of it. A second invocation of the same step may give
 * them back under this one: then nothing more is done here, and the next round finds what the other has left.
 * @throws BackupInProgress
 */
export async function underLocks<T>(
  deps: LocksDependencies,
  request: LockRequest,
  act: (locked: Locked) => Promise<T>,
): Promise<T | WaitAnswer> {
  const { backups, owner } = request;
  const dead = new Map<string, Lock>();
  try {
    for (const backup of backups) {
      const lock = await take(deps, backup, request);
      if (lock.outcome === 'held') {
        return held(backup, lock.by, request.wait);
      }
      if (lock.outcome === 'dead') {
        dead.set(backup, lock.of);
      }
    }
    return await act({ assertHeld: (backup) => assertLockHeld(deps.work, backupLockKey(backup), owner.nonce), dead });
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

async function take(
  deps: LocksDependencies,
  backup: string,
  { owner, dryRun = false }: LockRequest,
): Promise<Acquired | { readonly outcome: 'dead'; readonly of: Lock }> {
  const present = dryRun ? (await readJson(deps.work, backupLockKey(backup), lockSchema))?.value : undefined;
  if (present !== undefined && present.nonce !== owner.nonce) {
    const state = await deps.executions.describe(present.executionArn);
    if (mayBeStolen(present, state, deps.clock.nowEpochMillis())) {
      return { outcome: 'dead', of: present };
    }
  }
  return acquireBackupLock(deps, backup, { ...owner, brief: true });
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
