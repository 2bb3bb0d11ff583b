import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeOpenEnds } from '../acknowledge.ts';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions that decide what an execution does, and freeze it into the run. */
export class PlanningFunctions extends Construct {
  readonly planSnapshot: RankvaultFunction;
  readonly planCopies: RankvaultFunction;
  readonly planRestore: RankvaultFunction;
  readonly planRestoreBatches: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext, siteFunctions: string) {
    super(scope, 'Planning');
    const { vault, work } = context;
    const environment = { SITE_FUNCTIONS: siteFunctions };
    this.planSnapshot = new RankvaultFunction(this, { context, name: 'plan-snapshot', size: 'listing', environment });
    vault.grantReadCatalog(this.planSnapshot);
    vault.grantWriteCatalog(this.planSnapshot, 'attempts');
    work.grantWrite(this.planSnapshot, 'runs', 'locks');
    work.grantDelete(this.planSnapshot, 'locks');

    this.planCopies = new RankvaultFunction(this, { context, name: 'plan-copies', size: 'listing' });
    work.grantWrite(this.planCopies, 'runs');

    this.planRestore = new RankvaultFunction(this, { context, name: 'plan-restore', size: 'listing', environment });
    vault.grantReadCatalog(this.planRestore);
    work.grantWrite(this.planRestore, 'runs', 'locks', 'holds');
    work.grantDelete(this.planRestore, 'locks', 'holds');

    this.planRestoreBatches = new RankvaultFunction(this, { context, name: 'plan-restore-batches', size: 'listing' });
    // Before anything in the cluster changes: it is being restored, so that its next snapshot is a full.
    vault.grantWriteRestored(this.planRestoreBatches);
    work.grantWrite(this.planRestoreBatches, 'runs');

    for (const planning of [this.planSnapshot, this.planCopies, this.planRestore, this.planRestoreBatches]) {
      work.grantRead(planning);
    }
  }

  /**
   * Whether the holder of a lock is still alive. A policy of its own and not part of the roles' default policies, because the
   * functions wait for those, the machines wait for the functions, and this one waits for the machines.
   */
  allowDescribing(machines: readonly sfn.StateMachine[]): void {
    const policy = new iam.Policy(this, 'DescribeExecutions', {
      roles: [this.planSnapshot.role, this.planRestore.role],
      statements: [
        new iam.PolicyStatement({
          actions: ['states:DescribeExecution'],
          resources: machines.map((machine) => executionsOf(machine)),
        }),
      ],
    });
    acknowledgeOpenEnds(policy, 'Executions have names that nobody knows before; their machines are named.');
  }
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
