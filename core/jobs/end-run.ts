import * as z from 'zod/mini';
import { WorkerDied } from '../errors.ts';
import { readFailure } from '../failures.ts';
import { releaseHold } from '../holds.ts';
import { releaseLock } from '../locks.ts';
import { nonceOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { quiesceSchema } from '../quiesce.ts';
import type { RestoreRun, SnapshotRun } from '../run.ts';
import { readJson } from '../stored-json.ts';
import {
  backupLockKey,
  clusterLockKey,
  HOLDS_PREFIX,
  holdName,
  LOCKS_PREFIX,
  QUIESCE_PREFIX,
  RunKeys,
} from '../work-layout.ts';

/** Gives back what the run holds: a restore its hold on the snapshot, both their locks. Safe to repeat. */
export async function unlockRun(work: ObjectStore, run: SnapshotRun | RestoreRun): Promise<void> {
  if (run.machine === 'Restore') {
    await releaseHold(work, run);
  } else {
    await releaseLock(work, backupLockKey(run.backup), run.nonce);
  }
  await releaseLock(work, clusterLockKey(run.cluster), run.nonce);
}

/** What Step Functions' Catch left, and who is asking. */
export const abortRequestSchema = z.object({
  execution: z.string(),
  executionArn: z.string(),
  startedAt: z.string(),
  machine: z.enum(['Snapshot', 'Restore', 'Maintain', 'Verify']),
  failure: z.looseObject({ Error: z._default(z.string(), 'Unknown'), Cause: z._default(z.string(), '') }),
});
export type AbortRequest = z.infer<typeof abortRequestSchema>;

export interface AbortAnswer {
  /** The original error's name and what to do: the execution fails with these. */
  readonly error: string;
  readonly cause: string;
  /** True: the cluster may be held by this execution, Release must run. */
  readonly release: boolean;
  readonly cluster: string;
  readonly nonce: string;
}

/** Finds out what really went wrong, says whether the cluster must be released, and gives the locks back. */
export async function abortRun(work: ObjectStore, request: AbortRequest): Promise<AbortAnswer> {
  const keys = new RunKeys(request.machine, request.execution);
  const nonce = nonceOf(request.executionArn, request.startedAt);
  const told = await explain(work, keys, request.failure);
  const held = await findHold(work, nonce);
  if (request.machine !== 'Snapshot') {
    await releaseAllHolds(work, request);
  }
  await releaseAllLocks(work, nonce);
  return { ...told, release: held !== undefined, cluster: held ?? '', nonce };
}

/** The cluster that this nonce may hold in backup mode. Intent records are few, one for each cluster. */
async function findHold(work: ObjectStore, nonce: string): Promise<string | undefined> {
  for await (const { key } of work.list(QUIESCE_PREFIX)) {
    const stored = await readJson(work, key, quiesceSchema);
    if (stored?.value.nonce === nonce && stored.value.releasedAt === undefined) {
      return stored.value.cluster;
    }
  }
  return undefined;
}

/** Readers are few; one that failed while it was planned has holds and no plan. */
async function releaseAllHolds(work: ObjectStore, { executionArn }: AbortRequest): Promise<void> {
  for await (const { key } of work.list(HOLDS_PREFIX)) {
    if (key.endsWith(`/${holdName(executionArn)}`)) {
      await work.delete(key);
    }
  }
}

/** Locks are few; those of this nonce are ours, whatever step took them. */
async function releaseAllLocks(work: ObjectStore, nonce: string): Promise<void> {
  for await (const lock of work.list(LOCKS_PREFIX)) {
    await releaseLock(work, lock.key, nonce);
  }
}

const lambdaCauseSchema = z.looseObject({ errorType: z.optional(z.string()), errorMessage: z.string() });

/** Only words: a failure record that cannot be read must not keep the cluster from being released. */
async function explain(
  work: ObjectStore,
  keys: RunKeys,
  failure: AbortRequest['failure'],
): Promise<{ readonly error: string; readonly cause: string }> {
  if (failure.Error !== 'States.ExceedToleratedFailureThreshold') {
    return { error: failure.Error, cause: messageOf(failure.Cause) };
  }
  const recorded = await readFailure(work, keys).catch(() => undefined);
  if (recorded !== undefined) {
    return { error: recorded.error, cause: recorded.message };
  }
  const died = new WorkerDied('Workers of a Map failed without leaving a record.', {
    hint: 'Look at the failed child executions of the Map run in the Step Functions console and at the function’s log, then start again.',
  });
  return { error: died.name, cause: died.message };
}

/** A Lambda's cause is JSON; its message already ends in what to do. */
function messageOf(cause: string): string {
  try {
    const parsed = z.safeParse(lambdaCauseSchema, JSON.parse(cause));
    return parsed.success ? parsed.data.errorMessage : cause;
  } catch {
    return cause;
  }
}
