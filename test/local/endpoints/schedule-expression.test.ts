import { describe, expect, test } from 'vitest';
import { parseScheduleExpression } from '../../../local/endpoints/schedule-expression.ts';

function firings(expression: string, from: string, { count = 2, timeZone = 'UTC' } = {}): string[] {
  const anchorEpochMillis = Date.parse(from);
  const occurrences = parseScheduleExpression(expression, { timeZone, anchorEpochMillis });
  const found: string[] = [];
  let next = occurrences.firstFrom(anchorEpochMillis);
  while (next !== undefined && found.length < count) {
    found.push(new Date(next).toISOString());
    next = occurrences.firstFrom(next + 1000);
  }
  return found;
}

// 2026-01-02 is a Friday.
const cases: readonly [expression: string, from: string, expected: readonly string[]][] = [
  ['rate(5 minutes)', '2026-01-02T03:04:05.000Z', ['2026-01-02T03:04:05.000Z', '2026-01-02T03:09:05.000Z']],
  ['rate(1 day)', '2026-01-02T03:04:05.000Z', ['2026-01-02T03:04:05.000Z', '2026-01-03T03:04:05.000Z']],
  ['cron(0 2 * * ? *)', '2026-01-02T03:04:05.000Z', ['2026-01-03T02:00:00.000Z', '2026-01-04T02:00:00.000Z']],
  ['cron(0 2 * * ? *)', '2026-01-02T02:00:00.000Z', ['2026-01-02T02:00:00.000Z', '2026-01-03T02:00:00.000Z']],
  ['cron(0 2 ? * 1 *)', '2026-01-02T00:00:00.000Z', ['2026-01-04T02:00:00.000Z', '2026-01-11T02:00:00.000Z']],
  ['cron(0 2 ? * MON-FRI *)', '2026-01-02T00:00:00.000Z', ['2026-01-02T02:00:00.000Z', '2026-01-05T02:00:00.000Z']],
  ['cron(0 2 ? * 2-6 *)', '2026-01-03T00:00:00.000Z', ['2026-01-05T02:00:00.000Z', '2026-01-06T02:00:00.000Z']],
  ['cron(0/30 * * * ? *)', '2026-01-02T00:00:00.000Z', ['2026-01-02T00:00:00.000Z', '2026-01-02T00:30:00.000Z']],
  ['cron(0 2 L * ? *)', '2026-01-02T00:00:00.000Z', ['2026-01-31T02:00:00.000Z', '2026-02-28T02:00:00.000Z']],
  ['cron(0 2 ? * 6L *)', '2026-01-02T00:00:00.000Z', ['2026-01-30T02:00:00.000Z', '2026-02-27T02:00:00.000Z']],
  ['cron(0 2 ? * L *)', '2026-01-02T00:00:00.000Z', ['2026-01-03T02:00:00.000Z', '2026-01-10T02:00:00.000Z']],
  ['cron(0 2 ? * 3#1 *)', '2026-01-02T00:00:00.000Z', ['2026-01-06T02:00:00.000Z', '2026-02-03T02:00:00.000Z']],
  ['cron(0 2 3W * ? *)', '2026-01-01T00:00:00.000Z', ['2026-01-02T02:00:00.000Z', '2026-02-03T02:00:00.000Z']],
  ['cron(0 0 1 1 ? 2027)', '2026-01-02T00:00:00.000Z', ['2027-01-01T00:00:00.000Z']],
  ['at(2026-01-02T05:00:00)', '2026-01-02T03:04:05.000Z', ['2026-01-02T05:00:00.000Z']],
  ['at(2026-01-02T01:00:00)', '2026-01-02T03:04:05.000Z', []],
];

test.each(cases)('%s from %s', (expression, from, expected) => {
  expect(firings(expression, from)).toEqual(expected);
});

describe('in a time zone', () => {
  const timeZone = 'Europe/Berlin';

  test('an hour of the day is the local one, summer and winter', () => {
    expect(firings('cron(0 2 * * ? *)', '2026-03-27T22:00:00.000Z', { count: 1, timeZone })).toEqual([
      '2026-03-28T01:00:00.000Z',
    ]);
    expect(firings('at(2026-07-01T02:00:00)', '2026-03-27T22:00:00.000Z', { timeZone })).toEqual([
      '2026-07-01T00:00:00.000Z',
    ]);
  });

  test('a time that does not exist in spring is skipped', () => {
    expect(firings('cron(30 2 * * ? *)', '2026-03-28T12:00:00.000Z', { count: 1, timeZone })).toEqual([
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('a time that comes twice in autumn fires once', () => {
    expect(firings('cron(30 2 * * ? *)', '2026-10-24T12:00:00.000Z', { timeZone })).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });
});

test.each([
  ['every(5 minutes)', /is no schedule/],
  ['rate(0 minutes)', /is no rate/],
  ['rate(5 weeks)', /is no rate/],
  ['cron(0 2 * * *)', /six fields/],
  ['cron(0 2 * * * *)', /exactly one \?/],
  ['cron(99 2 * * ? *)', /cannot be read/],
  ['at(tomorrow)', /write at/],
])('refuses %s', (expression, message) => {
  expect(() => firings(expression, '2026-01-02T03:04:05.000Z')).toThrow(message);
});
