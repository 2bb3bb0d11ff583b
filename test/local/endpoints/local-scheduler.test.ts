import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
import { type Delivery, LocalScheduler, type LocalSchedulerOptions } from '../../../local/endpoints/local-scheduler.ts';
import { parseScheduleSpec } from '../../../local/endpoints/schedule-spec.ts';

const START = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;

function spec(overrides: object = {}) {
  return parseScheduleSpec({
    Name: 'nightly',
    ScheduleExpression: 'cron(0 2 * * ? *)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn: 'arn:machine', RoleArn: 'arn:role', Input: '{"at":"<aws.scheduler.scheduled-time>"}' },
    ...overrides,
  });
}

function harness(options: Partial<LocalSchedulerOptions> = {}) {
  const clock = new SimulatedClock({ startEpochMillis: START, autoAdvance: true });
  const delivered: Delivery[] = [];
  const scheduler = new LocalScheduler({
    clock,
    deliver: async (delivery) => {
      delivered.push(delivery);
    },
    ...options,
  });
  return { clock, scheduler, delivered };
}

test('fires at each occurrence that the clock passes, with the time in the input', async () => {
  const { clock, scheduler, delivered } = harness();
  scheduler.create(spec());

  await clock.advance(50 * HOUR);

  expect(delivered.map(({ input }) => input)).toEqual([
    '{"at":"2026-01-02T02:00:00Z"}',
    '{"at":"2026-01-03T02:00:00Z"}',
    '{"at":"2026-01-04T02:00:00Z"}',
  ]);
});

test('gives every delivery its own execution id', async () => {
  const { clock, scheduler, delivered } = harness();
  scheduler.create(spec({ Target: { Arn: 'a', RoleArn: 'r', Input: '<aws.scheduler.execution-id>' } }));

  await clock.advance(50 * HOUR);

  expect(new Set(delivered.map(({ input }) => input)).size).toBe(3);
});

test('begins a rate with its start date and ends at its end date', async () => {
  const { clock, scheduler, delivered } = harness();
  const second = START / 1000;
  scheduler.create(spec({ ScheduleExpression: 'rate(1 hour)', StartDate: second + 3600, EndDate: second + 3 * 3600 }));

  await clock.advance(10 * HOUR);

  expect(delivered.map((delivery) => (delivery.scheduledAtEpochMillis - START) / HOUR)).toEqual([1, 2, 3]);
});

test('does not fire while it is disabled or after it was deleted', async () => {
  const { clock, scheduler, delivered } = harness();
  scheduler.create(spec({ State: 'DISABLED' }));
  scheduler.create(spec({ Name: 'deleted' }));
  scheduler.delete('default', 'deleted');

  await clock.advance(50 * HOUR);

  expect(delivered).toEqual([]);
});

test('follows an update and forgets the former times', async () => {
  const { clock, scheduler, delivered } = harness();
  scheduler.create(spec());
  await clock.advance(HOUR);

  scheduler.update(spec({ ScheduleExpression: 'cron(0 5 * * ? *)' }));
  await clock.advance(23 * HOUR);

  expect(delivered.map(({ input }) => input)).toEqual(['{"at":"2026-01-02T05:00:00Z"}']);
});

test('removes a schedule that is over when it says so', async () => {
  const { clock, scheduler } = harness();
  const once = { ScheduleExpression: 'at(2026-01-02T01:00:00)' };
  scheduler.create(spec({ ...once, Name: 'gone', ActionAfterCompletion: 'DELETE' }));
  scheduler.create(spec({ ...once, Name: 'kept' }));

  await clock.advance(2 * HOUR);

  expect(scheduler.list().map((schedule) => schedule.spec.Name)).toEqual(['kept']);
});

test('keeps a failed delivery with the queue that would have it, and fires again', async () => {
  const { clock, scheduler } = harness({ deliver: () => Promise.reject(new Error('no such machine')) });
  const target = { Arn: 'arn:machine', RoleArn: 'arn:role', DeadLetterConfig: { Arn: 'arn:queue' } };
  scheduler.create(spec({ Target: target }));

  await clock.advance(30 * HOUR);

  expect(scheduler.failedDeliveries()).toMatchObject([{ deadLetterArn: 'arn:queue' }, { deadLetterArn: 'arn:queue' }]);
});

test('can deliver twice, as AWS may', async () => {
  const { clock, scheduler, delivered } = harness({
    aroundDelivery: async (_delivery, proceed) => {
      await proceed();
      await proceed();
    },
  });
  scheduler.create(spec());

  await clock.advance(3 * HOUR);

  expect(delivered).toHaveLength(2);
});
