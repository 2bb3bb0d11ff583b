import { newestDirectory } from './catalog.ts';
import type { SnapshotType } from './config/schema.ts';
import { CatalogCorrupt } from './errors.ts';
import { FORMAT_VERSION } from './format.ts';
import { directoryOfId, nextSnapshotId } from './ids.ts';
import { type Acquired, acquireLock, type Lock, type LockDependencies, type LockOwner } from './locks.ts';
import type { Clock } from './ports/clock.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { type Attempt, attemptSchema, type Tombstone } from './records.ts';
import { createJson, readJson } from './stored-json.ts';
import { isoOfEpochMillis } from './utc.ts';
import { attemptKey, attemptsPrefix, nameOfCatalogKey, recordKey, tombstoneKey } from './vault-layout.ts';
import { backupLockKey } from './work-layout.ts';

/** Who may write into a backup: the lock, and the directories that executions claim. */

export interface Claim {
  readonly backup: string;
  readonly owner: LockOwner;
  readonly type: SnapshotType;
  /** Directory of the base. @default - a full has none */
  readonly base?: string;
}

/**
 * A directory belongs to one execution for ever: claimed by creating its attempt, adopted when the newest claim is our own and nobody
 * has hidden it meanwhile. Under the backup's lock.
 */
export async function claimDirectory(
  deps: { readonly vault: ObjectStore; readonly clock: Clock },
  claim: Claim,
): Promise<Attempt> {
  const { vault, clock } = deps;
  const { backup, type, base } = claim;
  const { execution, executionArn, nonce } = claim.owner;
  const newest = await newestDirectory(vault, backup);
  const own = newest === undefined ? undefined : await ownAttempt(vault, attemptKey(backup, newest), nonce);
  if (own !== undefined && (await vault.head(tombstoneKey(backup, own.snapshot))) === undefined) {
    return own;
  }
  const id = nextSnapshotId(clock.nowEpochMillis(), newest);
  const attempt: Attempt = {
    formatVersion: FORMAT_VERSION,
    backup,
    snapshot: directoryOfId(id),
    id,
    execution,
    executionArn,
    nonce,
    type,
    ...(base === undefined ? {} : { base }),
    claimedAt: isoOfEpochMillis(clock.nowEpochMillis()),
  };
  const outcome = await createJson(vault, attemptKey(backup, attempt.snapshot), attempt);
  return outcome === 'created' ? attempt : claimDirectory(deps, claim);
}

/** A claim that cannot be read is nobody's: its directory is never used again, and it must not stop those that come after. */
async function ownAttempt(vault: ObjectStore, key: string, nonce: string): Promise<Attempt | undefined> {
  try {
    const present = await readJson(vault, key, attemptSchema);
    return present?.value.nonce === nonce ? present.value : undefined;
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Takes the lock of a backup. Before it is stolen from a dead execution, the directory that this one claimed is hidden, unless a
 * snapshot came of it: a commit that was on its way when it died never becomes visible, beside decisions that did not know of it.
 * Before and not after, so that a thief that dies in between finds the lock as it was and does both.
 */
export function acquireBackupLock(
  deps: LockDependencies & { readonly vault: ObjectStore },
  backup: string,
  owner: LockOwner,
): Promise<Acquired> {
  return acquireLock(deps, backupLockKey(backup), owner, (stolen) => hideAttemptOf(deps, { backup, stolen, owner }));
}

/** 10: who held the lock claimed its directory while it did; since then a few others may have, beside a merge that copies. */
const NEWEST_ATTEMPTS = 10;

async function hideAttemptOf(
  { vault, clock }: { readonly vault: ObjectStore; readonly clock: Clock },
  theft: { readonly backup: string; readonly stolen: Lock; readonly owner: LockOwner },
): Promise<void> {
  const { backup, stolen, owner } = theft;
  const keys: string[] = [];
  for await (const { key } of vault.list(attemptsPrefix(backup))) {
    keys.push(key);
    keys.splice(0, keys.length - NEWEST_ATTEMPTS);
  }
  const now = isoOfEpochMillis(clock.nowEpochMillis());
  for (const key of keys) {
    const snapshot = nameOfCatalogKey(key);
    const attempt = await ownAttempt(vault, key, stolen.nonce);
    if (attempt !== undefined && (await vault.head(recordKey(backup, snapshot))) === undefined) {
      const tombstone: Tombstone = {
        formatVersion: FORMAT_VERSION,
        backup,
        snapshot,
        action: 'steal',
        reason: `Execution ${stolen.execution} ended without giving back the lock of the backup, and ${owner.execution} took it.`,
        at: now,
        execution: owner.execution,
        executionArn: owner.executionArn,
        bytesKeptUntil: now,
      };
      await createJson(vault, tombstoneKey(backup, snapshot), tombstone);
    }
  }
}
