import { acquireBackupLock } from '../claims.ts';
import { BackupInProgress, ClusterBusy } from '../errors.ts';
import type { SnapshotInput } from '../execution-input.ts';
import { acquireLock, isHeldBriefly, type Lock, type LockDependencies, type LockOwner, releaseLock } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readQuiesce } from '../quiesce.ts';
import { backupLockKey, clusterLockKey } from '../work-layout.ts';

/** How often a scheduled run looks whether its turn has come. */
const TURN_WAIT_SECONDS = 60;
/** How often everybody looks who waits for a lock that is held to decide something. */
const BRIEF_WAIT_SECONDS = 5;

/** Who wants which locks. */
export interface TurnRequest {
  readonly owner: LockOwner;
  readonly clusterName: string;
}

export type Turn = { readonly outcome: 'ours' } | { readonly outcome: 'wait'; readonly waitSeconds: number };

/**
 * Takes the locks of backup and cluster. A scheduled run waits its turn; a person is told at once, but waits for the seconds in which
 * maintenance decides.
 * @throws BackupInProgress, ClusterBusy
 */
export async function takeTurn(
  deps: LockDependencies & { readonly vault: ObjectStore },
  input: SnapshotInput,
  { owner, clusterName }: TurnRequest,
): Promise<Turn> {
  const backupLock = await acquireBackupLock(deps, input.backup, owner);
  if (backupLock.outcome === 'held') {
    const problem = `Backup '${input.backup}' ${heldBy(backupLock.by)}.`;
    return isHeldBriefly(backupLock.by, deps.clock.nowEpochMillis())
      ? { outcome: 'wait', waitSeconds: BRIEF_WAIT_SECONDS }
      : waitOrThrow(input, new BackupInProgress(problem, { hint: WAIT_HINT }));
  }
  const clusterLock = await acquireLock(deps, clusterLockKey(clusterName), owner);
  if (clusterLock.outcome === 'held') {
    const problem = `Cluster '${clusterName}' ${heldBy(clusterLock.by)}.`;
    return waitOrThrow(input, new ClusterBusy(problem, { hint: WAIT_HINT }));
  }
  const hold = await readQuiesce(deps.work, clusterName);
  if (hold !== undefined && hold.value.nonce !== owner.nonce && hold.value.releasedAt === undefined) {
    const { execution } = hold.value;
    const problem = `Cluster '${clusterName}' may still be held in backup mode by execution ${execution}.`;
    return waitOrThrow(input, new ClusterBusy(problem, { hint: RELEASE_HINT }));
  }
  return { outcome: 'ours' };
}

/** Gives both locks back. */
export async function giveTurnBack(
  work: ObjectStore,
  backup: string,
  { owner, clusterName }: TurnRequest,
): Promise<void> {
  await releaseLock(work, backupLockKey(backup), owner.nonce);
  await releaseLock(work, clusterLockKey(clusterName), owner.nonce);
}

const RELEASE_HINT =
  'Its Release runs until the cluster is seen in normal mode: look at it in the Step Functions console.';

const WAIT_HINT =
  'Wait until it has ended, or stop it in the Step Functions console; its lock is free 16 minutes after it stopped.';

function heldBy(lock: Lock): string {
  return `is held by execution ${lock.execution} since ${lock.acquiredAt}`;
}

function waitOrThrow(input: SnapshotInput, error: Error): Turn {
  if (input.schedule === undefined) {
    throw error;
  }
  return { outcome: 'wait', waitSeconds: TURN_WAIT_SECONDS };
}
