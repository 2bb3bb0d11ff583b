import { Match } from 'aws-cdk-lib/assertions';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { maintainInputSchema, verifyInputSchema } from '../../core/execution-input.ts';
import { NAME_PATTERN } from '../../core/ids.ts';
import { scheduleName, type Timer, timerName } from '../../infra/schedules/schedule-name.ts';
import { fieldOf, flat, resourcesOf, type Synthesized, synthesize } from './synthesized.ts';

describe('schedules', () => {
  let synthesized: Synthesized;
  beforeAll(() => {
    synthesized = synthesize();
  });
  const schedule = (name: string, properties: object) =>
    synthesized.workflows.hasResourceProperties('AWS::Scheduler::Schedule', { Name: name, ...properties });

  const all = () => Object.values(resourcesOf(synthesized.workflows, 'AWS::Scheduler::Schedule'));
  const named = (name: string) => all().find(({ Properties }) => Properties['Name'] === name)?.Properties ?? {};
  const inputOf = (name: string): unknown => {
    const input = fieldOf(named(name)['Target'], 'Input');
    return typeof input === 'string' ? JSON.parse(input) : undefined;
  };

  test('are one each that the configuration has, and three more for every backup that are not off', () => {
    const names = all().map(({ Properties }) => Properties['Name']);
    expect(names.toSorted()).toEqual([
      'dr_system-timer-collect',
      'dr_system-timer-verify-present',
      'dr_system-timer-verify-read',
      'prod_system-nightly',
      'prod_system-past',
      'prod_system-timer-collect',
      'prod_system-timer-drill-monthly',
      'prod_system-timer-verify-read',
      'prod_system-weekly',
    ]);
  });

  test('carry the backup, the type, their own name and the time that was meant', () => {
    const inputs = Object.values(resourcesOf(synthesized.workflows, 'AWS::Scheduler::Schedule')).map(({ Properties }) =>
      JSON.stringify(Properties['Target']),
    );
    expect(
      inputs.some((input) =>
        input.includes(
          JSON.stringify(
            JSON.stringify({
              backup: 'prod_system',
              type: 'full',
              schedule: 'weekly',
              scheduledTime: '<aws.scheduler.scheduled-time>',
            }),
          ),
        ),
      ),
    ).toBe(true);
  });

  test('give up after an hour, and leave what failed in a dead-letter queue', () => {
    synthesized.workflows.allResourcesProperties('AWS::Scheduler::Schedule', {
      Target: Match.objectLike({
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 },
        DeadLetterConfig: { Arn: Match.anyValue() },
      }),
    });
    synthesized.workflows.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    synthesized.workflows.hasResourceProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  test('start Snapshot, and Verify or Maintain where it is a timer', () => {
    for (const { Properties } of all()) {
      const name = String(Properties['Name']);
      const machine = name.endsWith('-collect') ? 'Maintain' : name.includes('-timer-') ? 'Verify' : 'Snapshot';
      expect([name, flat(fieldOf(Properties['Target'], 'Arn'))]).toEqual([
        name,
        expect.stringMatching(new RegExp(`^<${machine}`)),
      ]);
    }
  });

  test.each([
    ['dr_system-timer-verify-present', { level: 'present', backup: 'dr_system', wait: true }],
    ['prod_system-timer-verify-read', { level: 'read', backup: 'prod_system', wait: true, budget: { dollars: 2.5 } }],
    [
      'dr_system-timer-verify-read',
      { level: 'read', backup: 'dr_system', wait: true, budget: { parts: 10_000, bytes: 53_687_091_200 } },
    ],
    [
      'prod_system-timer-drill-monthly',
      { level: 'restored', backup: 'prod_system', wait: true, cluster: 'scratch', drill: 'monthly' },
    ],
  ])('%s asks for what Verify takes, and waits for its turn', (name, input) => {
    expect(inputOf(name)).toEqual(input);
    expect(verifyInputSchema.parse(inputOf(name))).toMatchObject({ wait: true });
  });

  test('collect what nothing names any more, and wait for their turn', () => {
    expect(inputOf('prod_system-timer-collect')).toEqual({ action: 'collect', backup: 'prod_system', wait: true });
    expect(maintainInputSchema.parse(inputOf('prod_system-timer-collect'))).toMatchObject({ dryRun: false });
  });

  test('verify weekly and nightly and collect weekly where nothing else is configured', () => {
    schedule('dr_system-timer-verify-present', { ScheduleExpression: 'cron(0 6 ? * SUN *)', State: 'ENABLED' });
    schedule('dr_system-timer-verify-read', { ScheduleExpression: 'cron(0 5 * * ? *)', State: 'ENABLED' });
    schedule('dr_system-timer-collect', { ScheduleExpression: 'cron(30 7 ? * SUN *)', State: 'ENABLED' });
  });

  test('keep what is configured for a timer', () => {
    schedule('prod_system-timer-verify-read', {
      State: 'ENABLED',
      ScheduleExpression: 'cron(30 4 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'OFF' },
    });
    schedule('prod_system-timer-drill-monthly', { ScheduleExpression: 'cron(0 9 1 * ? *)', State: 'ENABLED' });
  });

  test('keep expression, time zone and window', () =>
    schedule('prod_system-weekly', {
      ScheduleExpression: 'cron(0 2 ? * SUN *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      State: 'ENABLED',
    }));

  test('are there but off when they are disabled, and wait for their start date', () =>
    schedule('prod_system-nightly', {
      ScheduleExpressionTimezone: 'UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: 'DISABLED',
      StartDate: '2027-06-01T00:00:00.000Z',
    }));

  test('leave out a start date that has passed, which EventBridge Scheduler refuses', () =>
    schedule('prod_system-past', { StartDate: Match.absent() }));

  test('trust EventBridge Scheduler for their own group only', () => {
    synthesized.workflows.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: 'scheduler.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': Match.anyValue() },
            },
          }),
        ],
      },
    });
  });
});

describe('the name of a schedule', () => {
  const names = fc.stringMatching(NAME_PATTERN);

  test('is one that EventBridge Scheduler takes', () =>
    fc.assert(
      fc.property(names, names, (backup, schedule) => {
        expect(scheduleName(backup, schedule)).toMatch(/^[0-9a-zA-Z\-_.]{1,64}$/);
      }),
    ));

  test('is different for different schedules', () =>
    fc.assert(
      fc.property(names, names, names, names, (backup, schedule, otherBackup, otherSchedule) => {
        fc.pre(backup !== otherBackup || schedule !== otherSchedule);
        expect(scheduleName(backup, schedule)).not.toBe(scheduleName(otherBackup, otherSchedule));
      }),
    ));

  test('stays different where only the cut end differs', () => {
    const backup = 'b'.repeat(63);
    expect(scheduleName(backup, 'nightly')).not.toBe(scheduleName(backup, 'weekly'));
    expect(scheduleName(backup, 'nightly')).toHaveLength(64);
  });

  const timers: fc.Arbitrary<Timer> = fc.oneof(
    fc.constantFrom<Timer>({ kind: 'verify-present' }, { kind: 'verify-read' }, { kind: 'collect' }),
    names.map((name) => ({ kind: 'drill' as const, name })),
  );

  test('of a timer is taken too, and is never that of a snapshot or of another timer', () =>
    fc.assert(
      fc.property(names, names, timers, timers, (backup, schedule, timer, other) => {
        expect(timerName(backup, timer)).toMatch(/^[0-9a-zA-Z\-_.]{1,64}$/);
        expect(timerName(backup, timer)).not.toBe(scheduleName(backup, schedule));
        fc.pre(JSON.stringify(timer) !== JSON.stringify(other));
        expect(timerName(backup, timer)).not.toBe(timerName(backup, other));
      }),
    ));
});
