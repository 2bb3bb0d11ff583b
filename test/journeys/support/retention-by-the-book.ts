import type { Moment } from './oracle.ts';

/** Retention as docs/MAINTENANCE.md tells it, written a second time: the oracle must not ask the engine what the engine should do. */
export interface KeepingPolicy {
  readonly keepFulls: number;
  readonly keepDays: number;
  /** @default 0 */
  readonly keepDaily?: number;
  /** @default 30 */
  readonly maxExpirePerRun?: number;
}

export interface Question {
  /** Oldest first. */
  readonly moments: readonly Moment[];
  readonly policy: KeepingPolicy;
  readonly nowEpochMillis: number;
  readonly pinned: ReadonlySet<string>;
  /** With an open finding of damage. */
  readonly damaged: ReadonlySet<string>;
  /** With an open finding of risk. */
  readonly weakened: ReadonlySet<string>;
  readonly verified: ReadonlySet<string>;
  readonly frozen: boolean;
}

const DAY = 86_400_000;

/** Who goes, oldest first. */
export function expiring(question: Question): readonly string[] {
  const { moments, policy, damaged } = question;
  const allBad = moments.every(({ snapshot }) => damaged.has(snapshot));
  if (question.frozen || allBad) {
    return [];
  }
  const kept = new Set([...always(question), ...byFulls(question), ...byDays(question), ...byPeriods(question)]);
  return moments
    .map(({ snapshot }) => snapshot)
    .filter((snapshot) => !kept.has(snapshot))
    .slice(0, policy.maxExpirePerRun ?? 30);
}

/** "Beside these, always: the newest good snapshot, the newest verified one, pinned ones". */
function always(question: Question): string[] {
  const names = question.moments.map(({ snapshot }) => snapshot);
  const good = names.findLast((snapshot) => !question.damaged.has(snapshot));
  const sure = names.findLast((snapshot) => question.verified.has(snapshot) && isSound(question, snapshot));
  return [good ?? '', sure ?? '', ...question.pinned];
}

function isSound({ damaged, weakened }: Question, snapshot: string): boolean {
  return !(damaged.has(snapshot) || weakened.has(snapshot));
}

/** "So many real fulls, and everything built on them"; those with an open finding count towards no number. */
function byFulls(question: Question): string[] {
  const { moments, policy } = question;
  const fulls = moments.filter(
    ({ type, merged, snapshot }) => type === 'full' && !merged && isSound(question, snapshot),
  );
  const newest = new Set(fulls.slice(-policy.keepFulls).map(({ snapshot }) => snapshot));
  return moments.filter(({ full }) => newest.has(full)).map(({ snapshot }) => snapshot);
}

/** "All of the last so many days, and the newest chain before them". */
function byDays({ moments, policy, nowEpochMillis, damaged }: Question): string[] {
  const from = nowEpochMillis - policy.keepDays * DAY;
  const young = moments.filter(({ takenAtEpochMillis }) => takenAtEpochMillis >= from);
  const before = moments.findLast((moment) => moment.takenAtEpochMillis < from && !damaged.has(moment.snapshot));
  const byName = new Map(moments.map((moment) => [moment.snapshot, moment]));
  const kept = new Set<string>();
  for (const start of before === undefined ? young : [...young, before]) {
    let moment: Moment | undefined = start;
    while (moment !== undefined) {
      kept.add(moment.snapshot);
      moment = byName.get(moment.base ?? '');
    }
  }
  return [...kept];
}

/** "The newest of each of so many days (UTC) that have one". */
function byPeriods({ moments, policy, damaged }: Question): string[] {
  const newestOfDay = new Map<number, string>();
  for (const { snapshot, takenAtEpochMillis } of moments) {
    if (!damaged.has(snapshot)) {
      newestOfDay.set(Math.floor(takenAtEpochMillis / DAY), snapshot);
    }
  }
  return [...newestOfDay.entries()]
    .sort(([left], [right]) => right - left)
    .slice(0, policy.keepDaily ?? 0)
    .map(([, snapshot]) => snapshot);
}
