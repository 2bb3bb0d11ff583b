import {
  BackupModeHeldElsewhere,
  ClusterNotReady,
  ClusterOperationInProgress,
  RankvaultError,
  ReleaseUnconfirmed,
} from '../errors.ts';
import { type PollLimits, pollAgain, pollDone } from '../poll.ts';
import type { Clock } from '../ports/clock.ts';
import { type ClusterControl, type ClusterObservation, ControlAmbiguous } from '../ports/cluster-control.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { assertStands, ownQuiesce, readQuiesce, type StoredQuiesce, updateQuiesce } from '../quiesce.ts';
import type { Poll } from '../run.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';

export interface ControlDependencies {
  readonly work: ObjectStore;
  readonly control: ClusterControl;
  readonly clock: Clock;
}

export interface Holder {
  readonly cluster: string;
  readonly nonce: string;
}

/** About 40 minutes in all: begin waits for running jobs to finish, which may take long (Kinetica REST reference, begin). */
const WAIT_FOR_HOLD: PollLimits = { firstWaitSeconds: 2, maxWaitSeconds: 30, maxPolls: 80 };
/** About five hours; then the execution fails loudly and the recurring schedule starts the next one. */
const RELEASE: PollLimits = { firstWaitSeconds: 2, maxWaitSeconds: 60, maxPolls: 300 };

/** A begin whose answer was lost may take effect this long after it was sent; until then the release goes on sending end. */
export const BEGIN_SETTLES_AFTER_MILLIS = 30 * 60_000;
/** Observations of normal mode in a row that confirm a release. */
const NORMAL_SIGHTINGS = 2;

/**
 * Sends begin, at most once per execution: the intent record says so before the request leaves. Never after the hold was released,
 * because nobody would end it then.
 * @throws QuiesceLost, BackupModeHeldElsewhere, ClusterOperationInProgress, ControlRefused
 */
export async function beginBackup(deps: ControlDependencies, holder: Holder): Promise<{ readonly sent: boolean }> {
  const stored = await ownQuiesce(deps.work, holder.cluster, holder.nonce);
  if (stored.value.beginSentAt !== undefined) {
    return { sent: false };
  }
  assertStands(stored.value);
  assertMayBegin(holder.cluster, await deps.control.observe());
  const claimed = await claimBegin(deps, stored);
  return claimed === undefined ? { sent: false } : sendBegin(deps, claimed);
}

/** @returns undefined when another invocation of this step was faster */
async function claimBegin(deps: ControlDependencies, stored: StoredQuiesce): Promise<StoredQuiesce | undefined> {
  let first = false;
  const claimed = await updateQuiesce(deps.work, stored, (present) => {
    first = present.beginSentAt === undefined;
    if (!first) {
      return undefined;
    }
    assertStands(present);
    return { beginSentAt: now(deps) };
  });
  return first ? claimed : undefined;
}

async function sendBegin(deps: ControlDependencies, claimed: StoredQuiesce): Promise<{ readonly sent: boolean }> {
  try {
    await deps.control.beginBackup();
  } catch (error) {
    if (error instanceof ControlAmbiguous) {
      return { sent: true };
    }
    // A named error says for certain that nothing began: the cluster refused, or the request never left.
    if (error instanceof RankvaultError) {
      await updateQuiesce(deps.work, claimed, () => ({ beginRefusedAt: now(deps) }));
    }
    throw error;
  }
  await updateQuiesce(deps.work, claimed, () => ({ begunAt: now(deps) }));
  return { sent: true };
}

function assertMayBegin(cluster: string, observation: ClusterObservation): void {
  if (observation.backupMode === 'backing_up') {
    throw new BackupModeHeldElsewhere(
      `Cluster '${cluster}' is in backup mode already (${observation.backupModeEvidence}).`,
      {
        hint: 'Something else, perhaps KAgent, backs it up: wait for it. Rankvault does not release what it did not begin.',
      },
    );
  }
  if (observation.clusterOperationInProgress) {
    throw new ClusterOperationInProgress(`Cluster '${cluster}' adds or removes ranks or rebalances.`, {
      hint: 'Wait until the operation has ended, then start the snapshot again.',
    });
  }
}

/** One look whether the cluster is held. @throws ClusterNotReady after the bound on polls, QuiesceLost when it was released */
export async function waitForHold(deps: ControlDependencies, holder: Holder, poll: Poll): Promise<Poll> {
  const stored = await ownQuiesce(deps.work, holder.cluster, holder.nonce);
  assertStands(stored.value);
  const { backupMode, backupModeEvidence } = await deps.control.observe();
  if (backupMode === 'backing_up') {
    await updateQuiesce(deps.work, stored, (present) => {
      assertStands(present);
      return { heldSeenAt: now(deps) };
    });
    return pollDone(poll);
  }
  // It answered begin, and it is one of those that do not show backup mode.
  if (stored.value.begunAt !== undefined) {
    return pollDone(poll);
  }
  const next = pollAgain(poll, WAIT_FOR_HOLD);
  if (next === undefined) {
    throw new ClusterNotReady(
      `Cluster '${holder.cluster}' was asked to hold still and was not seen to (${backupModeEvidence}).`,
      {
        hint: 'The release runs now. Look at the cluster’s log for /admin/backup/begin, then start the snapshot again.',
      },
    );
  }
  return next;
}

/**
 * One round of a release: sends end where there may be something of ours to end, then looks. Ready when normal mode was seen
 * twice in a row after begin is known to be over.
 * @throws ReleaseUnconfirmed after the bound on rounds
 */
export async function releaseRound(
  deps: ControlDependencies,
  holder: Holder & { readonly reason: string },
  poll: ReleasePoll,
): Promise<ReleasePoll> {
  const nothing = { ...pollDone(poll), sightings: poll.sightings };
  const stored = await readQuiesce(deps.work, holder.cluster);
  if (stored === undefined || stored.value.nonce !== holder.nonce || stored.value.releasedAt !== undefined) {
    return nothing;
  }
  const marked = await markEnding(deps, stored, holder.reason);
  if (!mayHold(marked)) {
    return nothing;
  }
  const over = beginIsOver(marked, deps.clock.nowEpochMillis());
  const observation = over && poll.sightings > 0 ? await observeOrUndefined(deps) : undefined;
  if (observation?.backupMode === 'backing_up') {
    // Our end was answered and normal mode was seen since: this hold is somebody else's.
    return { ...pollDone(poll), sightings: poll.sightings };
  }
  const trouble = over && poll.sightings > 0 ? undefined : await sendEnd(deps);
  // Until begin is known to be over, normal mode proves nothing: the begin may still take effect after it was seen.
  const sightings = over && trouble === undefined && (await looksNormal(deps, marked)) ? poll.sightings + 1 : 0;
  if (sightings >= NORMAL_SIGHTINGS) {
    return { ...pollDone(poll), sightings };
  }
  const next = pollAgain(poll, RELEASE);
  if (next === undefined) {
    throw new ReleaseUnconfirmed(
      `Cluster '${holder.cluster}' was asked to leave backup mode and was not seen in normal mode (${trouble ?? 'it answers, but shows backup mode'}).`,
      {
        hint: 'A schedule goes on trying. Release it by hand: POST {"options":{}} to /admin/backup/end of the head rank.',
      },
    );
  }
  return { ...next, sightings };
}

export interface ReleasePoll extends Poll {
  /** Normal mode seen so many times in a row. */
  readonly sightings: number;
}

function mayHold(stored: StoredQuiesce): boolean {
  const { beginSentAt, beginRefusedAt, releasedAt } = stored.value;
  return beginSentAt !== undefined && beginRefusedAt === undefined && releasedAt === undefined;
}

/**
 * First round: writes down who ends the hold, and whether it still stood. Where begin was not sent, the record is closed in the same
 * write, so that no late begin can slip in between.
 */
async function markEnding(deps: ControlDependencies, stored: StoredQuiesce, reason: string): Promise<StoredQuiesce> {
  if (stored.value.endSentAt !== undefined) {
    return stored;
  }
  const observation = stored.value.heldSeenAt === undefined ? undefined : await observeOrUndefined(deps);
  const broken = observation?.backupMode === 'normal' ? { broken: observation.backupModeEvidence } : {};
  return updateQuiesce(deps.work, stored, (present) => {
    if (present.endSentAt !== undefined || present.releasedAt !== undefined || present.beginRefusedAt !== undefined) {
      return undefined;
    }
    return present.beginSentAt === undefined
      ? { releasedAt: now(deps), releaseReason: reason }
      : { endSentAt: now(deps), releaseReason: reason, ...broken };
  });
}

/** @returns what went wrong; undefined for a definite answer: a refusal says that the cluster was not in backup mode */
async function sendEnd(deps: ControlDependencies): Promise<string | undefined> {
  try {
    await deps.control.endBackup();
    return undefined;
  } catch (error) {
    // Unreachable, or the answer was lost: the next round sends it again, until the bound on rounds makes it loud.
    return error instanceof Error ? error.message : String(error);
  }
}

async function looksNormal(deps: ControlDependencies, stored: StoredQuiesce): Promise<boolean> {
  const observation = await observeOrUndefined(deps);
  if (observation === undefined || observation.backupMode === 'backing_up') {
    return false;
  }
  // A cluster that never showed backup mode cannot be seen leaving it; its answer to end is all there is.
  return observation.backupMode === 'normal' || stored.value.heldSeenAt === undefined;
}

async function observeOrUndefined(deps: ControlDependencies): Promise<ClusterObservation | undefined> {
  try {
    return await deps.control.observe();
  } catch {
    // Silence is no sighting; the caller counts it as none.
    return undefined;
  }
}

function beginIsOver(stored: StoredQuiesce, nowEpochMillis: number): boolean {
  const sentAt = epochMillisOfIso(stored.value.beginSentAt ?? '') ?? 0;
  return stored.value.begunAt !== undefined || nowEpochMillis - sentAt >= BEGIN_SETTLES_AFTER_MILLIS;
}

function now(deps: ControlDependencies): string {
  return isoOfEpochMillis(deps.clock.nowEpochMillis());
}
