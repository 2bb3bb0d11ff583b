import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { RankvaultConfig } from '../core/config/schema.ts';
import { Alerts } from './alerts.ts';
import { allowDescribing } from './functions/describing.ts';
import { createFunctions, describingFunctions, type FixedFunctions } from './functions/fixed-functions.ts';
import type { FunctionBundles } from './functions/function-bundles.ts';
import type { FunctionContext } from './functions/rankvault-function.ts';
import { ReleaseArming } from './functions/release-functions.ts';
import { SiteFunctions } from './functions/site-functions.ts';
import { sitesOf } from './functions/sites.ts';
import { BackupSchedules } from './schedules/backup-schedules.ts';
import type { Vault } from './storage/vault.ts';
import { WorkBucket } from './storage/work-bucket.ts';
import { maintainWorkflow } from './workflows/maintain.ts';
import { releaseWorkflow } from './workflows/release.ts';
import { restoreWorkflow } from './workflows/restore.ts';
import { snapshotWorkflow } from './workflows/snapshot.ts';
import { createStateMachine } from './workflows/state-machine.ts';
import { verifyWorkflow } from './workflows/verify.ts';
import type { WorkflowContext } from './workflows/workflow-context.ts';

interface WorkflowsStackProps {
  readonly config: RankvaultConfig;
  readonly vault: Vault;
  readonly bundles: FunctionBundles;
  readonly nowEpochMillis: number;
}

/**
 * Everything that runs. It keeps nothing that a restore needs, so that it can be taken down and put up again.
 *
 * A failed, timed-out or aborted execution of Snapshot also starts Release by an event rule in a later version; until then AbortSnapshot
 * and the recurring schedule do.
 */
export class WorkflowsStack extends Stack {
  readonly snapshot: sfn.StateMachine;
  readonly restore: sfn.StateMachine;
  readonly release: sfn.StateMachine;
  readonly maintain: sfn.StateMachine;
  readonly verify: sfn.StateMachine;
  readonly #sites: readonly SiteFunctions[];
  readonly #work: WorkBucket;

  constructor(scope: Construct, id: string, props: WorkflowsStackProps) {
    super(scope, id, { description: 'Rankvault: the workflows that snapshot, restore, maintain and verify' });
    const { config } = props;
    const key = new kms.Key(this, 'Key', { enableKeyRotation: true, description: 'Rankvault: work and alerts' });
    this.#work = new WorkBucket(this, 'Work', key);
    const context: FunctionContext = {
      stack: this,
      deployment: config.deployment,
      vault: props.vault,
      work: this.#work,
      bundles: props.bundles,
    };
    this.#sites = sitesOf(config).map((site) => new SiteFunctions(this, context, site));
    const functions = createFunctions(this, context, { config, sites: this.#sites });

    this.release = this.#createRelease(functions);
    const arming = new ReleaseArming(this, context, this.release, functions.group);
    this.restore = this.#createRestore(functions);
    this.maintain = this.#createMaintain(functions);
    this.verify = this.#createVerify(functions);
    this.snapshot = this.#createSnapshot({ ...functions, ...arming });
    const machines = [this.snapshot, this.restore, this.maintain, this.verify];
    allowDescribing(this, describingFunctions(functions), machines);

    new BackupSchedules(this, 'Backups', { ...props, ...this.#scheduled(), backups: config.backups });
    const alerts = new Alerts(this, 'Alerts', { key, emails: config.alerts.emails });
    this.#output({ WorkBucketName: this.#work.bucket.bucketName, AlertTopicArn: alerts.topic.topicArn });
  }

  #scheduled(): Pick<this, 'snapshot' | 'maintain' | 'verify'> {
    const { snapshot, maintain, verify } = this;
    return { snapshot, maintain, verify };
  }

  #createRelease(functions: FixedFunctions): sfn.StateMachine {
    return createStateMachine(this, 'Release', {
      definition: releaseWorkflow(this.#states('Release'), functions),
      timeout: Duration.hours(6),
      comment: 'Takes a cluster out of backup mode, and makes sure that it is out',
    });
  }

  #createSnapshot(functions: FixedFunctions & Pick<ReleaseArming, 'armRelease'>): sfn.StateMachine {
    const { release, maintain } = this;
    return this.#withMaps('Snapshot', {
      definition: snapshotWorkflow({ ...this.#states('Snapshot'), functions, release, maintain }),
      timeout: Duration.hours(24),
      comment: 'Takes one snapshot of one backup',
    });
  }

  #createRestore(functions: FixedFunctions): sfn.StateMachine {
    return this.#withMaps('Restore', {
      definition: restoreWorkflow({ ...this.#states('Restore'), functions }),
      timeout: Duration.days(7),
      comment: 'Puts one snapshot onto one cluster',
    });
  }

  #createMaintain(functions: FixedFunctions): sfn.StateMachine {
    return this.#withMaps('Maintain', {
      definition: maintainWorkflow({ ...this.#states('Maintain'), functions }),
      timeout: Duration.days(3),
      comment: 'Hides what a backup need not keep, and frees what nothing names any more',
    });
  }

  #createVerify(functions: FixedFunctions): sfn.StateMachine {
    return this.#withMaps('Verify', {
      definition: verifyWorkflow({ ...this.#states('Verify'), functions, restore: this.restore }),
      timeout: Duration.days(3),
      comment: 'Looks whether a backup is what it promises, and records what it finds',
    });
  }

  #withMaps(id: string, props: Parameters<typeof createStateMachine>[2]): sfn.StateMachine {
    const machine = createStateMachine(this, id, props);
    this.#work.grantMapRuns(machine);
    return machine;
  }

  #states(machine: string): WorkflowContext {
    return { scope: new Construct(this, `${machine}States`), sites: this.#sites, work: this.#work };
  }

  #output(more: Readonly<Record<string, string>>): void {
    const values = {
      ...more,
      SnapshotMachineArn: this.snapshot.stateMachineArn,
      RestoreMachineArn: this.restore.stateMachineArn,
      ReleaseMachineArn: this.release.stateMachineArn,
      MaintainMachineArn: this.maintain.stateMachineArn,
      VerifyMachineArn: this.verify.stateMachineArn,
    };
    for (const [name, value] of Object.entries(values)) {
      new CfnOutput(this, name, { value });
    }
  }
}
