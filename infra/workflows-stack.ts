import { CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { RankvaultConfig } from '../core/config/schema.ts';
import { Alerts } from './alerts.ts';
import type { FunctionBundles } from './functions/function-bundles.ts';
import { PlanningFunctions } from './functions/planning-functions.ts';
import type { FunctionContext } from './functions/rankvault-function.ts';
import { RecordingFunctions } from './functions/recording-functions.ts';
import { ReleaseArming, ReleaseFunctions } from './functions/release-functions.ts';
import { SiteFunctions } from './functions/site-functions.ts';
import { siteFunctionsJson, sitesOf } from './functions/sites.ts';
import { BackupSchedules } from './schedules/backup-schedules.ts';
import type { Vault } from './storage/vault.ts';
import { WorkBucket } from './storage/work-bucket.ts';
import { releaseWorkflow } from './workflows/release.ts';
import { restoreWorkflow } from './workflows/restore.ts';
import { snapshotWorkflow } from './workflows/snapshot.ts';
import { createStateMachine } from './workflows/state-machine.ts';
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
  readonly #sites: readonly SiteFunctions[];
  readonly #work: WorkBucket;

  constructor(scope: Construct, id: string, props: WorkflowsStackProps) {
    super(scope, id, { description: 'Rankvault: the workflows that snapshot and restore clusters' });
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
    const planning = new PlanningFunctions(this, context, siteFunctionsJson(this, this.#sites));
    const recording = new RecordingFunctions(this, context);
    const releasing = new ReleaseFunctions(this, context);

    this.release = this.#createRelease(releasing);
    const arming = new ReleaseArming(this, context, this.release, releasing.group);
    this.snapshot = this.#createSnapshot({ ...planning, ...recording, ...releasing, ...arming });
    this.restore = this.#createRestore({ ...planning, ...recording });
    planning.allowDescribing([this.snapshot, this.restore]);

    new BackupSchedules(this, 'Backups', { ...props, backups: config.backups, snapshot: this.snapshot });
    const alerts = new Alerts(this, 'Alerts', { key, emails: config.alerts.emails });
    this.#output({ WorkBucketName: this.#work.bucket.bucketName, AlertTopicArn: alerts.topic.topicArn });
  }

  #createRelease(functions: ReleaseFunctions): sfn.StateMachine {
    return createStateMachine(this, 'Release', {
      definition: releaseWorkflow(this.#states('Release'), functions),
      timeout: Duration.hours(6),
      comment: 'Takes a cluster out of backup mode, and makes sure that it is out',
    });
  }

  #createSnapshot(functions: Parameters<typeof snapshotWorkflow>[0]['functions']): sfn.StateMachine {
    const machine = createStateMachine(this, 'Snapshot', {
      definition: snapshotWorkflow({ ...this.#states('Snapshot'), functions, release: this.release }),
      timeout: Duration.hours(24),
      comment: 'Takes one snapshot of one backup',
    });
    this.#work.grantMapRuns(machine);
    return machine;
  }

  #createRestore(functions: Parameters<typeof restoreWorkflow>[0]['functions']): sfn.StateMachine {
    const machine = createStateMachine(this, 'Restore', {
      definition: restoreWorkflow({ ...this.#states('Restore'), functions }),
      timeout: Duration.days(7),
      comment: 'Puts one snapshot onto one cluster',
    });
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
    };
    for (const [name, value] of Object.entries(values)) {
      new CfnOutput(this, name, { value });
    }
  }
}
