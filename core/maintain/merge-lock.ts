import { acquireBackupLock } from '../claims.ts';
import { LockLost } from '../errors.ts';
import { assertLockHeld, type LockDependencies, releaseLock } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { backupLockKey } from '../work-layout.ts';
import type { MergingPlan } from './merge-plan.ts';

export interface WaitAnswer {
  readonly outcome: 'wait';
  readonly waitSeconds: number;
}

/**
 * How often a merge looks whether the backup is free: a snapshot may run for a day, which are 720 rounds of a few events each, of the
 * 25,000 that an execution may have (Step Functions quotas).
 */
const WAIT: WaitAnswer = { outcome: 'wait', waitSeconds: 120 };

export interface LockedStep<T> {
  /** What an earlier invocation has left; then there is nothing to do. */
  readonly done: () => Promise<T | undefined>;
  /** @param assertHeld to be called before each write that others must not interleave with */
  readonly act: (assertHeld: () => Promise<void>) => Promise<T>;
}

/**
 * Acts under the backup's lock and gives it back; somebody else's is waited for. A second invocation of the same step may give the lock
 * back under this one: then nothing more is done here, and the next round finds what the other has left.
 */
export async function underBackupLock<T>(
  deps: LockDependencies & { readonly vault: ObjectStore },
  { run, merge }: MergingPlan,
  { done, act }: LockedStep<T>,
): Promise<T | WaitAnswer> {
  const { execution, executionArn, nonce } = run;
  const key = backupLockKey(merge.backup);
  const earlier = await done();
  if (earlier !== undefined) {
    await releaseLock(deps.work, key, nonce);
    return earlier;
  }
  const lock = await acquireBackupLock(deps, merge.backup, { execution, executionArn, nonce, brief: true });
  if (lock.outcome === 'held') {
    return WAIT;
  }
  try {
    const answer = (await done()) ?? (await act(() => assertLockHeld(deps.work, key, nonce)));
    await releaseLock(deps.work, key, nonce);
    return answer;
  } catch (error) {
    if (error instanceof LockLost) {
      return WAIT;
    }
    throw error;
  }
}
