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
import { type BackupTimer, timersOf } from './timers.ts';

/** A snapshot that could not even be started within the hour is too late to be the one that was meant. */
const MAXIMUM_EVENT_AGE = Duration.hours(1);
/** 10: with the growing delays of EventBridge Scheduler, more than the hour above gives time for. */
const RETRIES = 10;

interface BackupSchedulesProps {
  readonly backups: Readonly<Record<string, BackupConfig>>;
  readonly snapshot: sfn.StateMachine;
  readonly maintain: sfn.StateMachine;
  readonly verify: sfn.StateMachine;
  /** Start dates before this are left out: Scheduler refuses one that is more than five minutes old, also in an update. */
  readonly nowEpochMillis: number;
}

/** A machine, and the role by which EventBridge Scheduler starts it and nothing else. */
interface StartedMachine {
  readonly machine: sfn.StateMachine;
  readonly role: iam.IRole;
}

/** Everything that EventBridge Scheduler starts by itself: each configured schedule of each backup, its verifications and collections. */
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
    const snapshot = this.#machine('Role', 'Snapshot', props.snapshot);
    const maintain = this.#machine('MaintainRole', 'Maintain', props.maintain);
    const verify = this.#machine('VerifyRole', 'Verify', props.verify);
    for (const [backup, config] of Object.entries(props.backups)) {
      for (const schedule of config.schedules) {
        this.#addSnapshot(backup, schedule, { started: snapshot, nowEpochMillis: props.nowEpochMillis });
      }
      // What is off is left out: nobody turns it on but by the configuration, and a stack has room for 500 resources.
      for (const timer of timersOf(backup, config).filter(({ enabled }) => enabled)) {
        this.#addTimer(timer, { maintain, verify }[timer.machine]);
      }
    }
  }

  #machine(id: string, name: string, machine: sfn.StateMachine): StartedMachine {
    const role = new iam.Role(this, id, {
      assumedBy: schedulerPrincipal(this.group),
      description: `EventBridge Scheduler starts ${name}, and nothing else`,
    });
    return { machine, role };
  }

  #addSnapshot(
    backup: string,
    schedule: ScheduleConfig,
    { started, nowEpochMillis }: { readonly started: StartedMachine; readonly nowEpochMillis: number },
  ): void {
    const start = schedule.startDate === undefined ? undefined : new Date(schedule.startDate);
    new scheduler.Schedule(this, `${backup}-${schedule.name}`, {
      scheduleName: scheduleName(backup, schedule.name),
      scheduleGroup: this.group,
      description: `Rankvault: ${schedule.type} snapshot of ${backup}`,
      schedule: expressionOf(schedule),
      timeWindow:
        schedule.flexibleWindowMinutes === 0
          ? scheduler.TimeWindow.off()
          : scheduler.TimeWindow.flexible(Duration.minutes(schedule.flexibleWindowMinutes)),
      enabled: schedule.enabled,
      ...(start === undefined || start.getTime() <= nowEpochMillis ? {} : { start }),
      target: this.#target(started, {
        backup,
        type: schedule.type,
        schedule: schedule.name,
        scheduledTime: scheduler.ContextAttribute.scheduledTime,
      }),
    });
  }

  #addTimer(timer: BackupTimer, started: StartedMachine): void {
    new scheduler.Schedule(this, timer.name, {
      scheduleName: timer.name,
      scheduleGroup: this.group,
      description: timer.description,
      schedule: expressionOf(timer),
      timeWindow: scheduler.TimeWindow.off(),
      target: this.#target(started, timer.input),
    });
  }

  #target({ machine, role }: StartedMachine, input: object): targets.StepFunctionsStartExecution {
    return new targets.StepFunctionsStartExecution(machine, {
      role,
      deadLetterQueue: this.deadLetters,
      maxEventAge: MAXIMUM_EVENT_AGE,
      retryAttempts: RETRIES,
      input: scheduler.ScheduleTargetInput.fromObject(input),
    });
  }
}

function expressionOf(when: { readonly expression: string; readonly timeZone: string }): scheduler.ScheduleExpression {
  return scheduler.ScheduleExpression.expression(when.expression, TimeZone.of(when.timeZone));
}
