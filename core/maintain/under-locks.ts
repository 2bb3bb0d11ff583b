import { acquireBackupLock } from '../claims.ts';
import { BackupInProgress, LockLost } from '../errors.ts';
import {
  type Acquired,
  isHeldBriefly,
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
        return held(deps, request, { backup, by: lock.by });
      }
      if (lock.outcome === 'dead') {
        dead.set(backup, lock.of);
      }
    }
    const taken = await readTaken(deps, backups);
    return await act({ assertHeld: (backup) => assertStillHeld(deps, { backup, owner, taken }), dead });
  } catch (error) {
    if (error instanceof LockLost) {
      return SHORT_WAIT;
    }
    throw error;
  } finally {
    await giveBack(deps, backups, owner);
  }
}

/**
 * Acts without any lock. A ghost of the step that comes to its writes after another invocation has answered makes none: what that one
 * did may have been undone since.
 * @param unanswered whether no invocation has answered yet
 */
export async function besideLocks<T>(
  unanswered: () => Promise<boolean>,
  act: (assertFirst: () => Promise<void>) => Promise<T>,
): Promise<T | WaitAnswer> {
  try {
    return await act(async () => {
      if (!(await unanswered())) {
        throw new LockLost('Another invocation of this step has answered.', { hint: 'Nothing more was done here.' });
      }
    });
  } catch (error) {
    if (error instanceof LockLost) {
      return SHORT_WAIT;
    }
    throw error;
  }
}

/** Also for who finds the work done: the earlier try may have failed right when it gave them back. */
export async function giveBack(
  { work }: Pick<LocksDependencies, 'work'>,
  backups: readonly string[],
  { nonce }: Pick<LockOwner, 'nonce'>,
): Promise<void> {
  for (const backup of backups) {
    await releaseLock(work, backupLockKey(backup), nonce);
  }
}

/** The lock of each backup, as it is when all are taken. */
async function readTaken({ work }: LocksDependencies, backups: readonly string[]): Promise<ReadonlyMap<string, Lock>> {
  const taken = new Map<string, Lock>();
  for (const backup of backups) {
    const lock = (await readJson(work, backupLockKey(backup), lockSchema))?.value;
    if (lock !== undefined) {
      taken.set(backup, lock);
    }
  }
  return taken;
}

/**
 * Held without a break: another invocation of the same step may have given the lock back and taken it anew, with the same nonce, and
 * somebody else may have had it in between.
 * @throws LockLost
 */
async function assertStillHeld(
  { work }: LocksDependencies,
  of: { readonly backup: string; readonly owner: LockOwner; readonly taken: ReadonlyMap<string, Lock> },
): Promise<void> {
  const { backup, owner, taken } = of;
  const key = backupLockKey(backup);
  const present = (await readJson(work, key, lockSchema))?.value;
  if (present?.nonce !== owner.nonce || present.acquiredAt !== taken.get(backup)?.acquiredAt) {
    throw new LockLost(`The lock ${key} is not held any more, or was given back since it was taken.`, {
      hint: 'Nothing more was done; another invocation of the same step does it.',
    });
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

function held(
  { clock }: LocksDependencies,
  { wait }: LockRequest,
  { backup, by }: { readonly backup: string; readonly by: Lock },
): WaitAnswer {
  if (isHeldBriefly(by, clock.nowEpochMillis())) {
    return SHORT_WAIT;
  }
  if (!wait) {
    throw new BackupInProgress(`Backup '${backup}' is held by execution ${by.execution} since ${by.acquiredAt}.`, {
      hint: 'Wait until it has ended, or add "wait": true; the lock of an execution that died is free 16 minutes after it stopped.',
    });
  }
  return LONG_WAIT;
}
