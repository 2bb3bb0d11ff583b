import { EventBridgeSchedules } from '../../adapters/scheduler/eventbridge-schedules.ts';
import type { Schedules } from '../../core/ports/schedules.ts';
import { environment, required } from './environment.ts';

const endpoint = environment.AWS_ENDPOINT_URL_SCHEDULER;
const machineArn = environment.RELEASE_MACHINE_ARN;
const roleArn = environment.SCHEDULE_ROLE_ARN;

export const schedules: Schedules = new EventBridgeSchedules({
  caller: environment.AWS_LAMBDA_FUNCTION_NAME,
  groupName: required('SCHEDULE_GROUP'),
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(machineArn === undefined || roleArn === undefined ? {} : { target: { machineArn, roleArn } }),
});
