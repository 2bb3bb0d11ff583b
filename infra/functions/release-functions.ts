import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { schedulerPrincipal } from '../schedules/scheduler-principal.ts';
import { addStatement } from '../storage/object-grants.ts';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions that the `Release` machine and its callers need, outside of the cluster's network. */
export class ReleaseFunctions extends Construct {
  readonly planRelease: RankvaultFunction;
  readonly settleRelease: RankvaultFunction;
  readonly awaitRelease: RankvaultFunction;
  /** Of its own, so that what settles a release cannot delete the schedules of the backups. */
  readonly group: scheduler.ScheduleGroup;

  constructor(scope: Construct, context: FunctionContext) {
    super(scope, 'Releasing');
    const { work } = context;
    this.group = new scheduler.ScheduleGroup(this, 'Schedules');
    this.planRelease = new RankvaultFunction(this, { context, name: 'plan-release', size: 'small' });
    this.awaitRelease = new RankvaultFunction(this, { context, name: 'await-release', size: 'small' });
    this.settleRelease = new RankvaultFunction(this, {
      context,
      name: 'settle-release',
      size: 'small',
      environment: { SCHEDULE_GROUP: this.group.scheduleGroupName },
    });
    work.grantWrite(this.settleRelease, 'quiesce');
    // Its failure record.
    work.grantWrite(this.awaitRelease, 'runs');
    addStatement(this.settleRelease, ['scheduler:DeleteSchedule'], [schedulesIn(this.group)]);
    for (const releasing of [this.planRelease, this.awaitRelease, this.settleRelease]) {
      work.grantRead(releasing);
    }
  }
}

/**
 * Writes the intent record and arms the recurring schedule that starts `Release` from the deadline on, whatever became of the
 * execution that armed it. Apart from the other functions of a release, because it knows the machine that those are part of.
 */
export class ReleaseArming extends Construct {
  readonly armRelease: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext, release: sfn.StateMachine, group: scheduler.ScheduleGroup) {
    super(scope, 'Arming');
    const role = new iam.Role(this, 'ScheduleRole', {
      assumedBy: schedulerPrincipal(group),
      description: 'EventBridge Scheduler starts Release, and nothing else',
    });
    release.grantStartExecution(role);
    this.armRelease = new RankvaultFunction(this, {
      context,
      name: 'arm-release',
      size: 'small',
      environment: {
        RELEASE_MACHINE_ARN: release.stateMachineArn,
        SCHEDULE_GROUP: group.scheduleGroupName,
        SCHEDULE_ROLE_ARN: role.roleArn,
      },
    });
    context.work.grantRead(this.armRelease);
    context.work.grantWrite(this.armRelease, 'runs', 'quiesce');
    addStatement(this.armRelease, ['scheduler:CreateSchedule', 'scheduler:GetSchedule'], [schedulesIn(group)]);
    addStatement(this.armRelease, ['iam:PassRole'], [role.roleArn], {
      StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
    });
  }
}

function schedulesIn(group: scheduler.ScheduleGroup): string {
  return Stack.of(group).formatArn({
    service: 'scheduler',
    resource: 'schedule',
    resourceName: `${group.scheduleGroupName}/*`,
  });
}
