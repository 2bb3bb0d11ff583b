import * as z from 'zod/mini';
import { LockLost } from './errors.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from './format.ts';
import type { Clock } from './ports/clock.ts';
import type { ExecutionState, Executions } from './ports/executions.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { createJson, readJson } from './stored-json.ts';
import { epochMillisOfIso, isoOfEpochMillis } from './utc.ts';

/**
 * Locks are objects of the work bucket: created with If-None-Match, stolen and released with If-Match on the ETag, so that of two
 * executions exactly one wins. A lock has no age limit: it is stolen only from an execution that Step Functions calls ended.
 */
export const lockSchema = z.object({
  formatVersion: formatVersionSchema,
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  acquiredAt: z.string(),
  /** Held for seconds, to decide something: whoever finds it waits, also a person's run. */
  brief: z.optional(z.literal(true)),
});
export type Lock = z.infer<typeof lockSchema>;

export interface LockOwner {
  readonly execution: string;
  readonly executionArn: string;
  readonly nonce: string;
  /** See `Lock`. @default - held for as long as the run takes */
  readonly brief?: true;
}

/**
 * 16 minutes: a Lambda runs for 15 at most (Lambda quotas), so no worker of an execution that ended so long ago can still write.
 */
export const STEAL_AFTER_MILLIS = 16 * 60_000;

export type Acquired =
  | { readonly outcome: 'acquired'; readonly stolenFrom?: Lock }
  | { readonly outcome: 'held'; readonly by: Lock };

export interface LockDependencies {
  readonly work: ObjectStore;
  readonly executions: Executions;
  readonly clock: Clock;
}

/**
 * Takes the lock for this owner; a lock that the owner has already counts as acquired.
 * @param beforeSteal done before the lock of a dead execution is taken; again by another try, and also by those who then lose the race
 */
export async function acquireLock(
  deps: LockDependencies,
  key: string,
  owner: LockOwner,
  beforeSteal?: (stolen: Lock) => Promise<void>,
): Promise<Acquired> {
  const lock: Lock = {
    formatVersion: FORMAT_VERSION,
    ...owner,
    acquiredAt: isoOfEpochMillis(deps.clock.nowEpochMillis()),
  };
  if ((await createJson(deps.work, key, lock)) === 'created') {
    return { outcome: 'acquired' };
  }
  const present = await readJson(deps.work, key, lockSchema);
  if (present === undefined) {
    return acquireLock(deps, key, owner, beforeSteal);
  }
  if (present.value.nonce === owner.nonce) {
    return { outcome: 'acquired' };
  }
  const state = await deps.executions.describe(present.value.executionArn);
  if (!mayBeStolen(present.value, state, deps.clock.nowEpochMillis())) {
    return { outcome: 'held', by: present.value };
  }
  await beforeSteal?.(present.value);
  const outcome = await deps.work.replace(key, jsonBytes(lock), present.etag);
  return outcome === 'replaced'
    ? { outcome: 'acquired', stolenFrom: present.value }
    : acquireLock(deps, key, owner, beforeSteal);
}

/** 20 minutes: a brief lock is held by one Lambda, which runs for 15 at most (Lambda quotas). Older, its owner did not give it back. */
const BRIEF_MILLIS = 20 * 60_000;

/** Its owner will give it back within seconds. A date that cannot be read is long ago. */
export function isHeldBriefly(
  { brief, acquiredAt }: Pick<Lock, 'brief' | 'acquiredAt'>,
  nowEpochMillis: number,
): boolean {
  return brief === true && nowEpochMillis - (epochMillisOfIso(acquiredAt) ?? 0) < BRIEF_MILLIS;
}

/**
 * An execution that Step Functions does not know ended long ago, or has only just begun (DescribeExecution is eventually
 * consistent, Step Functions API reference): the age of its lock tells which.
 */
export function mayBeStolen(
  lock: Pick<Lock, 'acquiredAt'>,
  state: ExecutionState | undefined,
  nowEpochMillis: number,
): boolean {
  if (state?.status === 'running') {
    return false;
  }
  const sinceEpochMillis = state?.stoppedAtEpochMillis ?? epochMillisOfIso(lock.acquiredAt) ?? nowEpochMillis;
  return nowEpochMillis - sinceEpochMillis >= STEAL_AFTER_MILLIS;
}

/** Gives the lock up if it is this owner's; somebody else's stays. */
export async function releaseLock(work: ObjectStore, key: string, nonce: string): Promise<void> {
  const present = await readJson(work, key, lockSchema);
  if (present?.value.nonce === nonce) {
    await work.deleteIfMatch(key, present.etag);
  }
}

/** @throws LockLost when the lock is not this owner's any more */
export async function assertLockHeld(work: ObjectStore, key: string, nonce: string): Promise<void> {
  const present = await readJson(work, key, lockSchema);
  if (present?.value.nonce !== nonce) {
    const holder = present === undefined ? 'nobody' : `execution ${present.value.execution}`;
    throw new LockLost(`The lock ${key} is held by ${holder}, not by this execution.`, {
      hint: 'Nothing was committed; look at the other execution, then start this one again if it is still wanted.',
    });
  }
}
