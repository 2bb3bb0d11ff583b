import * as z from 'zod/mini';
import { WorkerDied } from '../errors.ts';
import { readFailure } from '../failures.ts';
import { releaseHold } from '../holds.ts';
import { releaseLock } from '../locks.ts';
import { nonceOf } from '../owner.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readQuiesce } from '../quiesce.ts';
import { type RestoreRun, restorePlanSchema, type SnapshotRun, snapshotPlanSchema } from '../run.ts';
import { readJson } from '../stored-json.ts';
import { backupLockKey, clusterLockKey, HOLDS_PREFIX, LOCKS_PREFIX, RunKeys } from '../work-layout.ts';

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
  machine: z.enum(['Snapshot', 'Restore']),
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
  const run = await readRun(work, keys, request.machine);
  const told = await explain(work, keys, request.failure);
  const nonce = run?.nonce ?? nonceOf(request.executionArn, request.startedAt);
  const quiesce = run === undefined ? undefined : await readQuiesce(work, run.cluster);
  const release = quiesce?.value.nonce === nonce && quiesce.value.releasedAt === undefined;
  if (request.machine === 'Restore') {
    await releaseAllHolds(work, request.execution);
  }
  await releaseAllLocks(work, nonce);
  return { ...told, release, cluster: run?.cluster ?? '', nonce };
}

async function readRun(
  work: ObjectStore,
  keys: RunKeys,
  machine: 'Snapshot' | 'Restore',
): Promise<SnapshotRun | RestoreRun | undefined> {
  const schema = machine === 'Snapshot' ? snapshotPlanSchema : restorePlanSchema;
  const plan = await readJson(work, keys.plan(), schema);
  return plan?.value.run;
}

/** Readers are few; a restore that failed while it was planned has a hold and no plan. */
async function releaseAllHolds(work: ObjectStore, execution: string): Promise<void> {
  for await (const hold of work.list(HOLDS_PREFIX)) {
    if (hold.key.endsWith(`/${execution}.json`)) {
      await work.delete(hold.key);
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

async function explain(
  work: ObjectStore,
  keys: RunKeys,
  failure: AbortRequest['failure'],
): Promise<{ readonly error: string; readonly cause: string }> {
  if (failure.Error !== 'States.ExceedToleratedFailureThreshold') {
    return { error: failure.Error, cause: messageOf(failure.Cause) };
  }
  const recorded = await readFailure(work, keys);
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
