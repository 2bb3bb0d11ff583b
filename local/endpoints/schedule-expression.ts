import { Cron } from 'croner';

/** `rate(5 minutes)`, `cron(0 2 * * ? *)`, `at(2026-01-02T03:04:05)`: not one of these. */
class InvalidScheduleExpression extends Error {
  override readonly name = 'InvalidScheduleExpression';
}

/** When a schedule fires: the first moment at or after a given one. */
export interface Occurrences {
  /** A one-time schedule is over after it. */
  readonly isOnce: boolean;
  /** @returns undefined when there is none any more */
  firstFrom(epochMillis: number): number | undefined;
}

const UNIT_MILLIS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/**
 * Parses an expression of EventBridge Scheduler.
 *
 * Deviations: in the hour that a time zone repeats in autumn, expressions with a wildcard or step in hours fire in both
 * passes; there is no flexible window, a schedule fires at its beginning, to the second.
 *
 * @param anchorEpochMillis where a rate begins: the schedule's start date, or its creation
 * @throws InvalidScheduleExpression
 */
export function parseScheduleExpression(
  expression: string,
  { timeZone, anchorEpochMillis }: { readonly timeZone: string; readonly anchorEpochMillis: number },
): Occurrences {
  const [, kind, text = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rate(text, anchorEpochMillis);
  if (kind === 'cron') return cron(awsCronPattern(text), timeZone);
  if (kind === 'at') return at(text, timeZone);
  throw new InvalidScheduleExpression(`"${expression}" is no schedule. Write rate(...), cron(...) or at(...).`);
}

/** The first firing is at the anchor itself: a rate without a start date begins at once. */
function rate(text: string, anchorEpochMillis: number): Occurrences {
  const [, value, unit] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(text) ?? [];
  if (unit !== 'minute' && unit !== 'hour' && unit !== 'day') {
    throw new InvalidScheduleExpression(
      `"rate(${text})" is no rate. Write rate(5 minutes), rate(1 hour) or rate(1 day).`,
    );
  }
  const intervalMillis = Number(value) * UNIT_MILLIS[unit];
  return {
    isOnce: false,
    firstFrom: (epochMillis) => {
      const passed = Math.max(0, Math.ceil((epochMillis - anchorEpochMillis) / intervalMillis));
      return anchorEpochMillis + passed * intervalMillis;
    },
  };
}

/** AWS has minutes first and a year, `?` for "any", SUN as 1, and L in the weekday field for Saturday. */
function awsCronPattern(text: string): string {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) {
    throw new InvalidScheduleExpression(`"cron(${text})" needs six fields: minutes hours day month weekday year.`);
  }
  const [minutes, hours, day, month, weekday, year] = fields.map((field) => (field === '?' ? '*' : field));
  if ((fields[2] === '?') === (fields[4] === '?')) {
    throw new InvalidScheduleExpression(`"cron(${text})" needs exactly one ? in the fields for day and weekday.`);
  }
  return `0 ${minutes} ${hours} ${day} ${month} ${weekday === 'L' ? '7' : weekday} ${year}`;
}

function cron(pattern: string, timeZone: string): Occurrences {
  const job = createCron(pattern, timeZone);
  return { isOnce: false, firstFrom: (epochMillis) => firstMatch(job, epochMillis) };
}

function at(text: string, timeZone: string): Occurrences {
  const [, year, month, day, hour, minute, second] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text) ?? [];
  if (year === undefined) throw new InvalidScheduleExpression(`"at(${text})": write at(2026-01-02T03:04:05).`);
  const fields = [second, minute, hour, day, month].map(Number);
  const job = createCron(`${fields.join(' ')} * ${year}`, timeZone);
  return { isOnce: true, firstFrom: (epochMillis) => firstMatch(job, epochMillis) };
}

function createCron(pattern: string, timezone: string): Cron {
  try {
    return new Cron(pattern, { timezone, paused: true, mode: '7-part', alternativeWeekdays: true, sloppyRanges: true });
  } catch (error) {
    throw new InvalidScheduleExpression(`The schedule cannot be read (${String(error)}). Check its fields.`);
  }
}

/** A time that does not exist in spring is skipped on AWS; croner moves it behind the gap. */
function firstMatch(job: Cron, epochMillis: number): number | undefined {
  let next = job.nextRun(new Date(Math.ceil(epochMillis / 1000) * 1000 - 1000));
  while (next !== null && (next.getTime() < epochMillis || !job.match(next))) next = job.nextRun(next);
  return next?.getTime();
}
