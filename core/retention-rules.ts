import type { RetentionConfig } from './config/schema.ts';
import type { Freeze, Pin, SnapshotRecord } from './records.ts';
import { epochMillisOfIso, isoOfEpochMillis } from './utc.ts';
import { VERIFY_LEVELS, type VerifiedState } from './verification.ts';

/** A rule says what it keeps, each with why. Rules only ever add: a snapshot expires when none of them speaks for it. */
export type Rule = (scene: Scene) => Iterable<readonly [snapshot: string, reason: string]>;

export interface Scene {
  /** Visible snapshots of one backup, oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Those without open damage, oldest first. */
  readonly good: readonly SnapshotRecord[];
  /** With open damage or risk. */
  readonly suspect: ReadonlySet<string>;
  readonly policy: RetentionConfig;
  readonly nowEpochMillis: number;
  readonly pins: readonly Pin[];
  readonly frozen: Freeze | undefined;
  readonly state: VerifiedState;
}

const MILLIS_PER_DAY = 86_400_000;

function* keepFrozen({ frozen, snapshots }: Scene): ReturnType<Rule> {
  for (const { snapshot } of frozen === undefined ? [] : snapshots) {
    yield [snapshot, `the backup is frozen: ${frozen?.reason}`];
  }
}

function* keepPinned({ pins }: Scene): ReturnType<Rule> {
  for (const { snapshot, reason } of pins) {
    yield [snapshot, `pinned: ${reason}`];
  }
}

function* keepNewestGood({ good }: Scene): ReturnType<Rule> {
  const newest = good.at(-1);
  if (newest !== undefined) {
    yield [newest.snapshot, 'the newest good snapshot'];
  }
}

function* keepNewestVerified({ snapshots, suspect, state }: Scene): ReturnType<Rule> {
  const verified = new Map(state.verified.map((each) => [each.snapshot, each]));
  const levelsOf = ({ snapshot }: SnapshotRecord) =>
    VERIFY_LEVELS.filter((level) => verified.get(snapshot)?.[level] !== undefined);
  const newest = snapshots.findLast((record) => !suspect.has(record.snapshot) && levelsOf(record).length > 0);
  if (newest !== undefined) {
    yield [newest.snapshot, `the newest verified snapshot (${levelsOf(newest).join(', ')})`];
  }
}

/** Half a snapshot is more than none. */
function* keepAllWithoutGood({ good, snapshots }: Scene): ReturnType<Rule> {
  for (const { snapshot } of good.length > 0 ? [] : snapshots) {
    yield [snapshot, 'no snapshot of the backup is without damage: none expires until one is'];
  }
}

function* keepUndated({ snapshots }: Scene): ReturnType<Rule> {
  for (const { snapshot, takenAt } of snapshots) {
    if (epochMillisOfIso(takenAt) === undefined) {
      yield [snapshot, `its time is not known: ${JSON.stringify(takenAt)}`];
    }
  }
}

/** A merged full does not count: only a real one was read from the cluster without anything before it. */
function* keepFulls({ policy, snapshots, suspect }: Scene): ReturnType<Rule> {
  const countable = snapshots.filter(
    ({ snapshot, type, mergedFrom }) => type === 'full' && mergedFrom === undefined && !suspect.has(snapshot),
  );
  const kept = new Set(countable.slice(-policy.keepFulls).map(({ snapshot }) => snapshot));
  for (const { snapshot, full } of snapshots) {
    if (kept.has(snapshot)) {
      yield [snapshot, `one of the newest fulls (keepFulls: ${policy.keepFulls})`];
    } else if (kept.has(full)) {
      yield [snapshot, `built on ${full}, one of the newest fulls (keepFulls: ${policy.keepFulls})`];
    }
  }
}

/**
 * All of the window, the newest good one before it (the state of its first moment), and what these build on as far as that is visible.
 * With the bases of all of them, not only of the oldest, a longer window never keeps less.
 */
function* keepDays(scene: Scene): ReturnType<Rule> {
  const start = scene.good.findLast((record) => ageOf(scene, record) === 'old');
  const young = scene.snapshots.filter((record) => ageOf(scene, record) === 'young');
  for (const { snapshot } of young) {
    yield [snapshot, `of the last ${days(scene)}`];
  }
  if (start !== undefined) {
    yield [start.snapshot, `what the last ${days(scene)} began with`];
  }
  const told = new Set([...young, ...(start === undefined ? [] : [start])]);
  for (const base of basesOf([...told], scene.snapshots)) {
    if (!told.has(base)) {
      yield [base.snapshot, `the last ${days(scene)} build on it`];
    }
  }
}

/** The record of a hidden one is not here to say what it built on. */
function basesOf(records: readonly SnapshotRecord[], visible: readonly SnapshotRecord[]): ReadonlySet<SnapshotRecord> {
  const recordOf = new Map(visible.map((each) => [each.snapshot, each]));
  const bases = new Set<SnapshotRecord>();
  for (const record of records) {
    let base = recordOf.get(record.base ?? '');
    while (base !== undefined && !bases.has(base)) {
      bases.add(base);
      base = recordOf.get(base.base ?? '');
    }
  }
  return bases;
}

function* keepPeriods({ policy, good }: Scene): ReturnType<Rule> {
  for (const { setting, nameOf } of PERIODS) {
    const newestOf = new Map<string, string>();
    for (const { snapshot, takenAt } of good.toReversed()) {
      const epochMillis = epochMillisOfIso(takenAt);
      const period = epochMillis === undefined ? undefined : nameOf(epochMillis);
      if (period !== undefined && !newestOf.has(period) && newestOf.size < policy[setting]) {
        newestOf.set(period, snapshot);
      }
    }
    for (const [period, snapshot] of newestOf) {
      yield [snapshot, `the newest of ${period} (${setting}: ${policy[setting]})`];
    }
  }
}

/** Periods of UTC. */
export const PERIODS = [
  { setting: 'keepHourly', nameOf: (epochMillis: number) => `${isoOfEpochMillis(epochMillis).slice(0, 13)}h` },
  { setting: 'keepDaily', nameOf: (epochMillis: number) => isoOfEpochMillis(epochMillis).slice(0, 10) },
  { setting: 'keepWeekly', nameOf: (epochMillis: number) => `the week from ${mondayOf(epochMillis)}` },
  { setting: 'keepMonthly', nameOf: (epochMillis: number) => isoOfEpochMillis(epochMillis).slice(0, 7) },
] as const;

/** ISO 8601 weeks begin on Monday; the first day of the epoch was a Thursday. */
function mondayOf(epochMillis: number): string {
  const day = Math.floor(epochMillis / MILLIS_PER_DAY);
  const sinceMonday = (((day + 3) % 7) + 7) % 7;
  return isoOfEpochMillis((day - sinceMonday) * MILLIS_PER_DAY).slice(0, 10);
}

/** Of a time that is not known neither of both. */
function ageOf({ policy, nowEpochMillis }: Scene, { takenAt }: SnapshotRecord): 'young' | 'old' | undefined {
  const takenAtEpochMillis = epochMillisOfIso(takenAt);
  if (takenAtEpochMillis === undefined) {
    return undefined;
  }
  return takenAtEpochMillis < nowEpochMillis - policy.keepDays * MILLIS_PER_DAY ? 'old' : 'young';
}

export function days({ policy }: Pick<Scene, 'policy'>): string {
  return policy.keepDays === 1 ? 'day' : `${policy.keepDays} days`;
}

export const RULES: readonly Rule[] = [
  keepFrozen,
  keepPinned,
  keepNewestGood,
  keepNewestVerified,
  keepAllWithoutGood,
  keepUndated,
  keepFulls,
  keepDays,
  keepPeriods,
];
