import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as scheduler from 'aws-cdk-lib/aws-scheduler';

/** EventBridge Scheduler, for schedules of this group alone (Scheduler guide, confused deputy prevention). */
export function schedulerPrincipal(group: scheduler.ScheduleGroup): iam.IPrincipal {
  return new iam.ServicePrincipal('scheduler.amazonaws.com', {
    conditions: {
      StringEquals: { 'aws:SourceAccount': Stack.of(group).account, 'aws:SourceArn': group.scheduleGroupArn },
    },
  });
}
