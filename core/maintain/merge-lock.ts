import { type LockDependencies, releaseLock } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { backupLockKey } from '../work-layout.ts';
import type { MergingPlan } from './merge-plan.ts';
import { underLocks, type WaitAnswer } from './under-locks.ts';

export interface LockedStep<T> {
  /** What an earlier invocation has left; then there is nothing to do. */
  readonly done: () => Promise<T | undefined>;
  /** @param assertHeld to be called before each write that others must not interleave with */
  readonly act: (assertHeld: () => Promise<void>) => Promise<T>;
}

/** A step of a merge that needs the backup's lock; copies are made by then, so it waits for a snapshot, however long that takes. */
export async function underBackupLock<T>(
  deps: LockDependencies & { readonly vault: ObjectStore },
  { run, merge }: MergingPlan,
  { done, act }: LockedStep<T>,
): Promise<T | WaitAnswer> {
  const { execution, executionArn, nonce } = run;
  const { backup } = merge;
  const earlier = await done();
  if (earlier !== undefined) {
    await releaseLock(deps.work, backupLockKey(backup), nonce);
    return earlier;
  }
  const owner = { execution, executionArn, nonce };
  return underLocks(deps, { backups: [backup], owner, wait: true }, async ({ assertHeld }) => {
    return (await done()) ?? act(() => assertHeld(backup));
  });
}
