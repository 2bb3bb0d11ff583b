import { Duration, TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { BackupConfig, ScheduleConfig } from '../../core/config/schema.ts';
import { acknowledge } from '../acknowledge.ts';
import { scheduleName } from './schedule-name.ts';
import { schedulerPrincipal } from './scheduler-principal.ts';

/** A snapshot that could not even be started within the hour is too late to be the one that was meant. */
const MAXIMUM_EVENT_AGE = Duration.hours(1);
/** 10: with the growing delays of EventBridge Scheduler, more than the hour above gives time for. */
const RETRIES = 10;

interface BackupSchedulesProps {
  readonly backups: Readonly<Record<string, BackupConfig>>;
  readonly snapshot: sfn.StateMachine;
  /** Start dates before this are left out: Scheduler refuses one that is more than five minutes old, also in an update. */
  readonly nowEpochMillis: number;
}

/** Everything that EventBridge Scheduler starts by itself: each configured schedule of each backup. */
export class BackupSchedules extends Construct {
  readonly group: scheduler.ScheduleGroup;
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, props: BackupSchedulesProps) {
    super(scope, id);
    this.group = new scheduler.ScheduleGroup(this, 'Group');
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(this.deadLetters, 'SQS3', 'This is the dead-letter queue, of EventBridge Scheduler.');
    const role = new iam.Role(this, 'Role', {
      assumedBy: schedulerPrincipal(this.group),
      description: 'EventBridge Scheduler starts Snapshot, and nothing else',
    });
    for (const [backup, { schedules }] of Object.entries(props.backups)) {
      for (const schedule of schedules) {
        this.#add(backup, schedule, { ...props, role });
      }
    }
  }

  #add(backup: string, schedule: ScheduleConfig, props: BackupSchedulesProps & { readonly role: iam.IRole }): void {
    const start = schedule.startDate === undefined ? undefined : new Date(schedule.startDate);
    new scheduler.Schedule(this, `${backup}-${schedule.name}`, {
      scheduleName: scheduleName(backup, schedule.name),
      scheduleGroup: this.group,
      description: `Rankvault: ${schedule.type} snapshot of ${backup}`,
      schedule: scheduler.ScheduleExpression.expression(schedule.expression, TimeZone.of(schedule.timeZone)),
      timeWindow:
        schedule.flexibleWindowMinutes === 0
          ? scheduler.TimeWindow.off()
          : scheduler.TimeWindow.flexible(Duration.minutes(schedule.flexibleWindowMinutes)),
      enabled: schedule.enabled,
      ...(start === undefined || start.getTime() <= props.nowEpochMillis ? {} : { start }),
      target: new targets.StepFunctionsStartExecution(props.snapshot, {
        role: props.role,
        deadLetterQueue: this.deadLetters,
        maxEventAge: MAXIMUM_EVENT_AGE,
        retryAttempts: RETRIES,
        input: scheduler.ScheduleTargetInput.fromObject({
          backup,
          type: schedule.type,
          schedule: schedule.name,
          scheduledTime: scheduler.ContextAttribute.scheduledTime,
        }),
      }),
    });
  }
}
