import { type Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeAnyResource, acknowledgeOpenEnds } from '../acknowledge.ts';
import { LOG_RETENTION } from '../functions/rankvault-function.ts';

interface StateMachineDefinition {
  readonly definition: sfn.IChainable;
  /** Ends an execution that hangs, so that its locks can be taken over. */
  readonly timeout: Duration;
  readonly comment: string;
}

/** A Standard state machine with what all of them have. */
export function createStateMachine(scope: Construct, id: string, props: StateMachineDefinition): sfn.StateMachine {
  // Below /aws/vendedlogs/ a log group counts for no resource policy, of which an account has ten (CloudWatch Logs quotas).
  const destination = new logs.LogGroup(scope, `${id}Logs`, {
    logGroupName: `/aws/vendedlogs/states/${Stack.of(scope).stackName}-${id}`,
    retention: LOG_RETENTION,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const machine = new sfn.StateMachine(scope, id, {
    definitionBody: sfn.DefinitionBody.fromChainable(props.definition),
    comment: props.comment,
    timeout: props.timeout,
    stateMachineType: sfn.StateMachineType.STANDARD,
    logs: { destination, level: sfn.LogLevel.ERROR, includeExecutionData: false },
    tracingEnabled: true,
  });
  acknowledge(
    machine,
    'SF1',
    'Errors are logged. Standard executions keep every event for 90 days themselves; logging all of them again costs more than the run, and would copy inputs into a second place.',
  );
  acknowledgeAnyResource(machine, 'Delivery of logs and traces: their actions take no resource.');
  acknowledgeOpenEnds(
    machine,
    'Functions in any version, Map runs, whose names Step Functions chooses, and the objects below runs/ of the work bucket.',
  );
  return machine;
}
