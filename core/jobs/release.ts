import { QuiesceLost, QuiesceTooLong, ReleaseUnconfirmed } from '../errors.ts';
import { parseInput, releaseInputSchema } from '../execution-input.ts';
import { FORMAT_VERSION } from '../format.ts';
import { type PollLimits, pollAgain, pollDone } from '../poll.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Schedules } from '../ports/schedules.ts';
import { armQuiesce, ownQuiesce, type Quiesce, readQuiesce, updateQuiesce } from '../quiesce.ts';
import { FIRST_POLL, type Poll, type SiteFunctions, type SnapshotPlan } from '../run.ts';
import { isoOfEpochMillis } from '../utc.ts';
import type { ReleasePoll } from './control-cluster.ts';
import type { CopiesPlan } from './plan-copies.ts';

/** Once past the deadline, Release is started so often until the schedule is gone. */
const RELEASE_EVERY_MINUTES = 5;

/** The name of the schedule that ends one hold: the same on every retry. */
export function releaseScheduleName(cluster: string, nonce: string): string {
  return `release-${cluster.slice(0, 38)}-${nonce.slice(0, 16)}`;
}

/**
 * Before anything is held: the intent record, then the schedule that releases the cluster should nobody else do it.
 * @param warm what the warm pass found; undefined where there was none, and with it nothing to expect a length from
 * @throws QuiesceTooLong, ClusterBusy when another execution's hold is not released yet
 */
export async function armRelease(
  deps: { readonly work: ObjectStore; readonly schedules: Schedules; readonly clock: Clock },
  plan: SnapshotPlan,
  warm: CopiesPlan | undefined,
): Promise<{ readonly deadline: string }> {
  const { run } = plan;
  assertShortEnough(plan, warm);
  const now = deps.clock.nowEpochMillis();
  const deadline = now + plan.backup.options.maxQuiesceMinutes * 60_000;
  await armQuiesce(deps.work, {
    formatVersion: FORMAT_VERSION,
    cluster: run.cluster,
    execution: run.execution,
    executionArn: run.executionArn,
    nonce: run.nonce,
    functions: run.functions,
    control: plan.cluster.control,
    armedAt: isoOfEpochMillis(now),
    deadline: isoOfEpochMillis(deadline),
  });
  await deps.schedules.create({
    name: releaseScheduleName(run.cluster, run.nonce),
    firstAtEpochMillis: deadline,
    everyMinutes: RELEASE_EVERY_MINUTES,
    input: { cluster: run.cluster, nonce: run.nonce, reason: 'deadline' },
  });
  return { deadline: isoOfEpochMillis(deadline) };
}

/**
 * Under the quiesce every rank is listed twice, by enumeration and fence, and the warm pass has just shown how long one listing
 * takes here. What else happens under the quiesce comes on top, so that this never refuses what would have fitted.
 */
function assertShortEnough({ run, backup }: SnapshotPlan, warm: CopiesPlan | undefined): void {
  const minutes = (2 * (warm?.listSeconds ?? 0)) / 60;
  const { maxQuiesceMinutes } = backup.options;
  if (minutes > maxQuiesceMinutes) {
    throw new QuiesceTooLong(
      `Cluster '${run.cluster}' would be held for ${Math.ceil(minutes)} minutes at least, and maxQuiesceMinutes is ${maxQuiesceMinutes}.`,
      {
        hint: 'Nothing was held. Raise rankConcurrency, so that more ranks are listed at a time, or maxQuiesceMinutes; then start the snapshot again.',
      },
    );
  }
}

export interface ReleaseRef {
  readonly cluster: string;
  readonly nonce: string;
  readonly reason: string;
  readonly functions?: SiteFunctions;
}

export interface ReleaseAnswer {
  readonly outcome: 'release' | 'nothing';
  readonly release: ReleaseRef;
  readonly poll: ReleasePoll;
}

const EXAMPLE = '{"cluster":"prod","nonce":"<nonce of the intent record quiesce/prod.json>"}';

/** Finds the intent record and the functions that reach the cluster. Another nonce's record is none of our business. */
export async function planRelease(work: ObjectStore, input: unknown): Promise<ReleaseAnswer> {
  const { cluster, nonce, reason } = parseInput(releaseInputSchema, input, 'Release', EXAMPLE);
  const stored = await readQuiesce(work, cluster);
  const ours = stored?.value.nonce === nonce && stored.value.releasedAt === undefined;
  const release = { cluster, nonce, reason: reason ?? 'by hand' };
  const poll = { ...FIRST_POLL, sightings: 0 };
  return ours
    ? { outcome: 'release', release: { ...release, functions: stored.value.functions }, poll }
    : { outcome: 'nothing', release, poll };
}

/**
 * After a confirmed release, or when there was nothing to release: the record first, the schedule last.
 * @throws ReleaseUnconfirmed when begin was sent and no end: it slipped in after the release had found nothing to do
 */
export async function settleRelease(
  deps: { readonly work: ObjectStore; readonly schedules: Schedules; readonly clock: Clock },
  release: Pick<ReleaseRef, 'cluster' | 'nonce'>,
): Promise<void> {
  const stored = await readQuiesce(deps.work, release.cluster);
  if (stored?.value.nonce === release.nonce) {
    const releasedAt = isoOfEpochMillis(deps.clock.nowEpochMillis());
    await updateQuiesce(deps.work, stored, (present) => (isSettled(present) ? undefined : { releasedAt }));
  }
  await deps.schedules.delete(releaseScheduleName(release.cluster, release.nonce));
}

function isSettled(present: Quiesce): boolean {
  const { beginSentAt, beginRefusedAt, endSentAt, releasedAt } = present;
  if (
    releasedAt === undefined &&
    beginSentAt !== undefined &&
    beginRefusedAt === undefined &&
    endSentAt === undefined
  ) {
    throw new ReleaseUnconfirmed(`Cluster '${present.cluster}' was put in backup mode and nobody has ended it.`, {
      hint: 'The schedule of this hold starts Release again; start it by hand if that is too late.',
    });
  }
  return releasedAt !== undefined;
}

/** The snapshot waits for its own release as long as the release may take. */
const AWAIT_RELEASE: PollLimits = { firstWaitSeconds: 2, maxWaitSeconds: 60, maxPolls: 360 };

/**
 * One look whether the release that EndBackup started is confirmed.
 * @throws QuiesceLost when the hold was gone, or was ended by somebody else, before the fence was through
 */
export async function awaitRelease(
  work: ObjectStore,
  holder: { readonly cluster: string; readonly nonce: string },
  poll: Poll,
): Promise<Poll> {
  const { value } = await ownQuiesce(work, holder.cluster, holder.nonce);
  const trouble =
    value.broken ??
    (value.releaseReason === undefined || value.releaseReason === 'end'
      ? undefined
      : `ended by ${value.releaseReason}`);
  if (trouble !== undefined) {
    throw new QuiesceLost(`The hold on cluster '${holder.cluster}' did not last until the fence: ${trouble}.`, {
      hint: 'Nothing was committed. Find out who released the cluster, or raise maxQuiesceMinutes; then start the snapshot again.',
    });
  }
  if (value.releasedAt !== undefined) {
    return pollDone(poll);
  }
  const next = pollAgain(poll, AWAIT_RELEASE);
  if (next === undefined) {
    throw new QuiesceLost(`The release of cluster '${holder.cluster}' is not confirmed.`, {
      hint: 'Look at the executions of Release; the snapshot was not committed.',
    });
  }
  return next;
}
