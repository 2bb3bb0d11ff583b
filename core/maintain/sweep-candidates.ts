import type { SnapshotRecord } from '../records.ts';
import { epochMillisOfIso } from '../utc.ts';
import type { BackupState, StateDependencies } from './backup-state.ts';
import { isDead, keptRecords, lockedUntil } from './fates.ts';
import { ORPHAN_GRACE_MILLIS } from './orphans.ts';
import type { SweptDirectory } from './plan.ts';
import { isStampValid, readStamps } from './stamps.ts';

/** A directory in which a sweep could free something now. */
export interface Candidate extends Omit<SweptDirectory, 'referrers'> {
  readonly hasBytes: boolean;
  readonly hasCatalog: boolean;
}

/**
 * The dead ones that were never swept, or whose last sweep left what it need not leave any more. `collect` takes all of them, and
 * looks for strangers beside the live ones.
 */
export async function candidatesOf(
  deps: Pick<StateDependencies, 'work'>,
  state: BackupState,
  collect: boolean,
): Promise<readonly Candidate[]> {
  const dead = state.hidden.filter((each) => isDead(state, each));
  const kept = new Set(keptRecords(state).map(({ snapshot }) => snapshot));
  const stamps = collect
    ? new Map()
    : await readStamps(deps.work, state.backup, new Set(dead.map(({ snapshot }) => snapshot)));
  const due = dead.filter(({ snapshot }) => {
    const stamp = stamps.get(snapshot);
    return stamp === undefined || !isStampValid(stamp, kept, state.nowEpochMillis);
  });
  return [
    ...due.map(({ snapshot, tombstone }) => candidateOf(state, { snapshot, facts: tombstone.record, dead: true })),
    ...(collect ? settled(state).map((record) => candidateOf(state, { ...record, facts: record, dead: false })) : []),
  ];
}

/** Live ones in which no worker of the execution that took them can still write. */
function settled(state: BackupState): readonly SnapshotRecord[] {
  return keptRecords(state).filter(({ snapshot, committedAt }) => {
    const committed = epochMillisOfIso(committedAt) ?? state.nowEpochMillis;
    return state.directories.has(snapshot) && committed <= state.nowEpochMillis - ORPHAN_GRACE_MILLIS;
  });
}

function candidateOf(
  state: BackupState,
  of: {
    readonly snapshot: string;
    readonly facts: Pick<SnapshotRecord, 'lock'> | undefined;
    readonly dead: boolean;
  },
): Candidate {
  const until = lockedUntil(of.facts, state.nowEpochMillis);
  return {
    backup: state.backup,
    directory: of.snapshot,
    dead: of.dead,
    ...(until === undefined ? {} : { lockedUntil: until }),
    hasBytes: state.directories.has(of.snapshot),
    // Locked with the bytes: they are left together, and go together.
    hasCatalog: of.dead && until === undefined && state.catalogued.has(of.snapshot),
  };
}
