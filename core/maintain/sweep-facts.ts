import { FORMAT_VERSION } from '../format.ts';
import type { Tombstone } from '../records.ts';
import type { MaintainRun } from '../run.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { snapshotPrefix } from '../vault-layout.ts';
import type { BackupState } from './backup-state.ts';
import { inWindow } from './fates.ts';
import { ORPHAN_GRACE_MILLIS } from './orphans.ts';
import type { SweepPlan } from './plan.ts';

/** What the report says beside the sweeps, and what `collect` cleans up beside them. */
export function sweepFacts({
  run,
  states,
  collect,
}: {
  readonly run: Pick<MaintainRun, 'executionArn'>;
  readonly states: readonly BackupState[];
  readonly collect: boolean;
}): Omit<SweepPlan, 'units' | 'directories'> {
  const own = states.flatMap(({ hidden }) => hidden.filter(({ tombstone }) => isOwn(run, tombstone)));
  const hidden = own.filter(({ recorded }) => recorded).map(({ tombstone }) => tombstone);
  const before = hiddenBefore(states, run);
  const uploads = collect ? uploadsOf(states) : undefined;
  return {
    formatVersion: FORMAT_VERSION,
    hidden: hidden.map(({ backup, snapshot, reason, bytesKeptUntil }) => ({
      backup,
      snapshot,
      reason,
      bytesKeptUntil,
    })),
    orphans: own.length - hidden.length,
    ...(before === undefined ? {} : { hiddenBefore: before }),
    staleHolds: collect ? states.flatMap(({ holds }) => holds.filter(({ stale }) => stale).map(({ key }) => key)) : [],
    ...(uploads === undefined ? {} : { uploads }),
  };
}

/** Hidden by this run. What was hidden to take a dead execution's lock is not its doing. */
export function isOwn(run: Pick<MaintainRun, 'executionArn'>, { executionArn, action }: Tombstone): boolean {
  return executionArn === run.executionArn && action !== 'steal';
}

function hiddenBefore(
  states: readonly BackupState[],
  run: Pick<MaintainRun, 'executionArn'>,
): SweepPlan['hiddenBefore'] {
  const waiting = states.flatMap(inWindow).filter(({ tombstone }) => !isOwn(run, tombstone));
  const [first] = waiting.map(({ tombstone }) => tombstone.bytesKeptUntil).sort();
  if (first === undefined) {
    return undefined;
  }
  const totals = waiting.flatMap(({ tombstone }) => tombstone.record?.totals ?? []);
  return {
    parts: totals.reduce((sum, { storedParts }) => sum + storedParts, 0),
    bytes: totals.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    at: first,
  };
}

/** `collect` is of one backup. */
function uploadsOf([state]: readonly BackupState[]): SweepPlan['uploads'] {
  return state === undefined
    ? undefined
    : {
        prefix: `${state.backup}/`,
        before: isoOfEpochMillis(state.nowEpochMillis - ORPHAN_GRACE_MILLIS),
        spared: state.unfinished
          .filter(({ mayWrite }) => mayWrite)
          .map(({ attempt }) => snapshotPrefix(attempt.backup, attempt.snapshot)),
      };
}
