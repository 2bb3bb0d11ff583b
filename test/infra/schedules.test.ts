import { Match } from 'aws-cdk-lib/assertions';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { NAME_PATTERN } from '../../core/ids.ts';
import { scheduleName } from '../../infra/schedules/schedule-name.ts';
import { fieldOf, flat, resourcesOf, type Synthesized, synthesize } from './synthesized.ts';

describe('schedules', () => {
  let synthesized: Synthesized;
  beforeAll(() => {
    synthesized = synthesize();
  });
  const schedule = (name: string, properties: object) =>
    synthesized.workflows.hasResourceProperties('AWS::Scheduler::Schedule', { Name: name, ...properties });

  test('are one each that the configuration has', () =>
    synthesized.workflows.resourceCountIs('AWS::Scheduler::Schedule', 3));

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

  test('start Snapshot', () => {
    for (const { Properties } of Object.values(resourcesOf(synthesized.workflows, 'AWS::Scheduler::Schedule'))) {
      expect(flat(fieldOf(Properties['Target'], 'Arn'))).toMatch(/^<Snapshot/);
    }
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
});
