import { describe, expect, test } from 'vitest';
import { problemOfSchedule } from '../../../core/config/schedule-expression.ts';

describe('a schedule expression', () => {
  test.each([
    'cron(0 2 * * ? *)',
    'cron(0 2 ? * SUN *)',
    'cron(0 2 ? * 1 *)',
    'cron(15,45 */6 ? * MON-FRI 2027-2030)',
    'cron(0/15 0-6 ? JAN,APR 2-6 *)',
    'cron(0 0 L * ? *)',
    'cron(0 0 LW * ? *)',
    'cron(0 0 15W * ? *)',
    'cron(0 0 ? * 6L *)',
    'cron(0 0 ? * FRI#2 *)',
    'cron(0 0 ? * 6#5 2199)',
    'cron(0 0 29 FEB ? *)',
    'cron(0 0 31 FEB,MAR ? *)',
    'cron(0 0 30/1 2 ? *)',
    'rate(1 minute)',
    'rate(1 hour)',
    'rate(12 hours)',
    'rate(30 days)',
  ])('may be %s', (expression) => {
    expect(problemOfSchedule(expression)).toBeUndefined();
  });

  test.each([
    ['cron(0 2 * * * *)', "must have '?' in exactly one of day of month and day of week"],
    ['cron(0 2 ? * ? *)', "must have '?' in exactly one of day of month and day of week"],
    ['cron(0 2 1 * SUN *)', "must have '?' in exactly one of day of month and day of week"],
    ['cron(60 2 * * ? *)', "has '60' for minutes, which takes 0 to 59"],
    ['cron(0 24 * * ? *)', "has '24' for hours, which takes 0 to 23"],
    ['cron(0 2 32 * ? *)', "has '32' for day of month, which takes 1 to 31"],
    ['cron(0 2 0 * ? *)', "has '0' for day of month, which takes 1 to 31"],
    ['cron(0 2 32W * ? *)', "has '32W' for day of month, which takes 1 to 31"],
    ['cron(0 2 * 13 ? *)', "has '13' for month, which takes 1 to 12 or JAN to DEC"],
    ['cron(0 2 * JUNE ? *)', "has 'JUNE' for month, which takes 1 to 12 or JAN to DEC"],
    ['cron(0 2 ? * 0 *)', "has '0' for day of week, which takes 1 to 7 or SUN to SAT"],
    ['cron(0 2 ? * FRI-MON *)', "has 'FRI-MON' for day of week, which runs backwards"],
    ['cron(0 2 ? * sun *)', "has 'sun' for day of week, which is no form of it"],
    ['cron(0 2 * * ? 1969)', "has '1969' for year, which takes 1970 to 2199"],
    ['cron(0/0 2 * * ? *)', "has '0/0' for minutes, which is no form of it"],
    ['cron(0,,5 2 * * ? *)', "has '' for minutes, which is no form of it"],
    ['cron(? 2 * * ? *)', "has '?' for minutes, which is no form of it"],
    ['cron(0 L * * ? *)', "has 'L' for hours, which takes 0 to 23"],
    [
      'cron(0  2 * * ? *)',
      'has 7 fields; it needs six, each one space apart: minutes hours day-of-month month day-of-week year',
    ],
    ['cron(0 2 30 2 ? *)', 'never fires: no such day in these months'],
    ['cron(0 2 31 APR,JUN ? *)', 'never fires: no such day in these months'],
    ['rate(0 days)', "must be a positive whole number and minutes, hours or days, like 'rate(12 hours)'"],
    ['rate(1.5 hours)', "must be a positive whole number and minutes, hours or days, like 'rate(12 hours)'"],
    ['rate(2 weeks)', "must be a positive whole number and minutes, hours or days, like 'rate(12 hours)'"],
    ['rate(2 hour)', "must say '2 hours'"],
    ['rate(1 days)', "must say '1 day'"],
    [
      'at(2027-01-01T00:00:00)',
      "must be cron(minutes hours day-of-month month day-of-week year) or rate(value unit), like 'cron(0 2 * * ? *)'",
    ],
  ])('may not be %s', (expression, problem) => {
    expect(problemOfSchedule(expression)).toBe(problem);
  });
});
