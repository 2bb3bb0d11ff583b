import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledgeOpenEnds } from '../acknowledge.ts';
import type { RankvaultFunction } from './rankvault-function.ts';

/**
 * Whether the holder of a lock, or a reader that holds a snapshot, is still alive. A policy of its own and not part of the roles'
 * default policies, because the functions wait for those, the machines wait for the functions, and this one waits for the machines.
 */
export function allowDescribing(
  scope: Construct,
  functions: readonly RankvaultFunction[],
  machines: readonly sfn.StateMachine[],
): void {
  const policy = new iam.Policy(scope, 'DescribeExecutions', {
    roles: functions.map(({ role }) => role),
    statements: [
      new iam.PolicyStatement({
        actions: ['states:DescribeExecution'],
        resources: machines.map((machine) => executionsOf(machine)),
      }),
    ],
  });
  acknowledgeOpenEnds(policy, 'Executions have names that nobody knows before; their machines are named.');
}

function executionsOf(machine: sfn.StateMachine): string {
  return Arn.format(
    {
      service: 'states',
      resource: 'execution',
      resourceName: `${machine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    },
    Stack.of(machine),
  );
}
