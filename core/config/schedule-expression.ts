/**
 * EventBridge Scheduler's recurring expressions (Scheduler user guide, "Schedule types"): six cron fields with exactly one `?`, or
 * a rate. An own parser, because cron libraries read other dialects: none has the year field, `?` and `W` as AWS means them, and
 * an expression that AWS refuses would fail only in the middle of a deployment.
 */
interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  /** Forms beyond numbers, ranges and steps. */
  readonly special?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MINUTES: CronField = { name: 'minutes', min: 0, max: 59 };
const HOURS: CronField = { name: 'hours', min: 0, max: 23 };
const DAY_OF_MONTH: CronField = { name: 'day of month', min: 1, max: 31, special: /^(L|LW|\d{1,2}W)$/ };
const MONTH: CronField = { name: 'month', min: 1, max: 12, names: MONTHS };
const DAY_OF_WEEK: CronField = {
  name: 'day of week',
  min: 1,
  max: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
  special: /^(L|[1-7]L|[1-7]#[1-5]|(SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$/,
};
const YEAR: CronField = { name: 'year', min: 1970, max: 2199 };
const FIELDS = [MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR];

/** @returns what is wrong, to be read after the expression's path; undefined when nothing is */
export function problemOfSchedule(expression: string): string | undefined {
  const cron = /^cron\((.*)\)$/.exec(expression);
  if (cron?.[1] !== undefined) {
    return problemOfCron(cron[1].split(' '));
  }
  const rate = /^rate\((.*)\)$/.exec(expression);
  if (rate?.[1] !== undefined) {
    return problemOfRate(rate[1]);
  }
  return "must be cron(minutes hours day-of-month month day-of-week year) or rate(value unit), like 'cron(0 2 * * ? *)'";
}

function problemOfRate(text: string): string | undefined {
  const match = /^([1-9]\d{0,5}) (minutes?|hours?|days?)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    return "must be a positive whole number and minutes, hours or days, like 'rate(12 hours)'";
  }
  const plural = match[2].endsWith('s');
  return plural === (match[1] !== '1')
    ? undefined
    : `must say '${match[1]} ${plural ? match[2].slice(0, -1) : `${match[2]}s`}'`;
}

function problemOfCron(texts: readonly string[]): string | undefined {
  if (texts.length !== FIELDS.length) {
    return `has ${texts.length} fields; it needs six, each one space apart: minutes hours day-of-month month day-of-week year`;
  }
  const [, , dayOfMonth = '', month = '', dayOfWeek = ''] = texts;
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    return "must have '?' in exactly one of day of month and day of week";
  }
  for (const [index, field] of FIELDS.entries()) {
    const text = texts[index] ?? '';
    const problem =
      text === '?' && (field === DAY_OF_MONTH || field === DAY_OF_WEEK) ? undefined : problemOfField(field, text);
    if (problem !== undefined) {
      return problem;
    }
  }
  return neverFires(dayOfMonth, month) ? 'never fires: no such day in these months' : undefined;
}

function problemOfField(field: CronField, text: string): string | undefined {
  if (field.special?.test(text)) {
    const day = /^(\d+)W$/.exec(text)?.[1];
    return day === undefined || isWithin(field, Number(day)) ? undefined : outOfRange(field, text);
  }
  for (const item of text.split(',')) {
    const match = /^(\*|[A-Z0-9]+(?:-[A-Z0-9]+)?)(?:\/(\d+))?$/.exec(item);
    if (match?.[1] === undefined || match[2] === '0') {
      return `has '${item}' for ${field.name}, which is no form of it`;
    }
    const bounds = match[1] === '*' ? [] : match[1].split('-').map((bound) => numberOf(field, bound));
    if (bounds.some((bound) => !isWithin(field, bound))) {
      return outOfRange(field, item);
    }
    if (bounds.length === 2 && Number(bounds[0]) > Number(bounds[1])) {
      return `has '${item}' for ${field.name}, which runs backwards`;
    }
  }
  return undefined;
}

function numberOf(field: CronField, text: string): number {
  const index = field.names?.indexOf(text) ?? -1;
  return index >= 0 ? index + field.min : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
}

function isWithin(field: CronField, value: number): boolean {
  return value >= field.min && value <= field.max;
}

function outOfRange(field: CronField, text: string): string {
  const names = field.names === undefined ? '' : ` or ${field.names[0]} to ${field.names.at(-1)}`;
  return `has '${text}' for ${field.name}, which takes ${field.min} to ${field.max}${names}`;
}

/** Only plain numbers can name a day that no listed month has: the 30th of February. */
function neverFires(dayOfMonth: string, month: string): boolean {
  const days = dayOfMonth.split(',');
  const months = month.split(',').map((text) => numberOf(MONTH, text));
  if (!days.every((day) => /^\d+$/.test(day)) || months.some(Number.isNaN)) {
    return false;
  }
  const longest = Math.max(...months.map((value) => LONGEST_MONTHS[value - 1] ?? 31));
  return days.every((day) => Number(day) > longest);
}
