import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  SchedulerClient,
} from '@aws-sdk/client-scheduler';
import type { RecurringStart, Schedules } from '../../core/ports/schedules.ts';

export interface EventBridgeSchedulesOptions {
  readonly caller: string;
  /** @default - AWS */
  readonly endpoint?: string;
  readonly groupName: string;
  /** What a schedule starts, and as whom; needed to create only. */
  readonly target?: { readonly machineArn: string; readonly roleArn: string };
}

export class EventBridgeSchedules implements Schedules {
  readonly #client: SchedulerClient;
  readonly #options: EventBridgeSchedulesOptions;

  constructor(options: EventBridgeSchedulesOptions) {
    this.#options = options;
    this.#client = new SchedulerClient({
      customUserAgent: [['rankvault', options.caller]],
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    });
  }

  async create(schedule: RecurringStart): Promise<void> {
    const { groupName, target } = this.#options;
    if (target === undefined) {
      throw new TypeError('This function was not given a target to schedule.');
    }
    const unit = schedule.everyMinutes === 1 ? 'minute' : 'minutes';
    try {
      await this.#client.send(
        new CreateScheduleCommand({
          Name: schedule.name,
          GroupName: groupName,
          ScheduleExpression: `rate(${schedule.everyMinutes} ${unit})`,
          StartDate: new Date(schedule.firstAtEpochMillis),
          FlexibleTimeWindow: { Mode: 'OFF' },
          Target: { Arn: target.machineArn, RoleArn: target.roleArn, Input: JSON.stringify(schedule.input) },
        }),
      );
    } catch (error) {
      // An earlier try of the same step made it: the name holds the nonce of one hold.
      if (!(error instanceof ConflictException)) {
        throw error;
      }
    }
  }

  async delete(name: string): Promise<void> {
    try {
      await this.#client.send(new DeleteScheduleCommand({ Name: name, GroupName: this.#options.groupName }));
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) {
        throw error;
      }
    }
  }
}
