import { join } from 'node:path';
import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createS3Client } from '../../adapters/s3/s3-client.ts';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import { type Assembly, type FunctionModel, REGION } from '../assembly/assembly-model.ts';
import { createFunctionHost, type FunctionHost } from '../assembly/function-host.ts';
import { SimulatedClock } from '../clock/simulated-clock.ts';
import { type AwsEndpoint, startAwsEndpoint } from '../endpoints/aws-endpoint.ts';
import { LocalScheduler } from '../endpoints/local-scheduler.ts';
import { type LocalS3, startLocalS3 } from '../s3/local-s3.ts';
import type { AroundInvoke, ExecutionView, WorkflowEvent } from '../workflow/execution.ts';
import { type JsonValue, parseJson } from '../workflow/json.ts';
import { createWorkflowRuntime, type WorkflowRuntime } from '../workflow/runtime.ts';
import { resourceNamed, synthesize } from './synthesize.ts';

export interface LaptopOptions {
  readonly config: RankvaultConfigInput;
  /** Keeps the assembly and the buckets; empty, or of an earlier laptop with the same configuration. */
  readonly directory: string;
  /** Secret strings by name. */
  readonly secrets?: ReadonlyMap<string, string>;
  readonly onEvent?: (event: WorkflowEvent) => void;
  readonly aroundInvoke?: AroundInvoke;
  /** Time that an invocation is given, for handlers that ask. @default - the function's timeout */
  readonly budgetMillis?: (target: FunctionModel, invocation: number) => number | undefined;
  /**
   * Files younger than two seconds are read again by the next snapshot. Tests put the machine's time forward instead of waiting.
   * @default 0
   */
  readonly machineAheadMillis?: number;
  /** Where its clock begins. @default - now */
  readonly startEpochMillis?: number;
  /** Of the functions. @default 'ERROR' */
  readonly logLevel?: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'SILENT';
}

/**
 * The whole of Rankvault on one machine: the state machines and bundles that `cdk deploy` would ship, run against loopback
 * services, on a clock on which waits take no time.
 */
export class Laptop {
  readonly assembly: Assembly;
  readonly clock: SimulatedClock;
  readonly s3: LocalS3;
  /** For whoever looks around; its requests count as `laptop`. */
  readonly s3Client: S3Client;
  readonly functions: FunctionHost;
  readonly runtime: WorkflowRuntime;
  readonly scheduler: LocalScheduler;
  readonly vaultBucket: string;
  readonly workBucket: string;
  readonly #endpoints: Endpoints;
  #aws: AwsEndpoint | undefined;

  private constructor(options: LaptopOptions, started: { readonly clock: SimulatedClock; readonly s3: LocalS3 }) {
    this.assembly = synthesize(options.config, join(options.directory, 'cdk.out'));
    this.clock = started.clock;
    this.s3 = started.s3;
    this.s3Client = s3ClientFor(started.s3);
    this.#endpoints = { s3: started.s3.endpoint, aws: '' };
    this.functions = createFunctionHost({
      assembly: this.assembly,
      clock: this.clock,
      environment: () => environmentOf(this.#endpoints, options),
      ...(options.budgetMillis === undefined ? {} : { budgetMillis: options.budgetMillis }),
    });
    this.runtime = this.#createRuntime(options);
    this.scheduler = this.#createScheduler();
    this.vaultBucket = resourceNamed(this.assembly.buckets, 'Vault/Bucket').name;
    this.workBucket = resourceNamed(this.assembly.buckets, 'Work/Bucket').name;
  }

  static async start(options: LaptopOptions): Promise<Laptop> {
    const clock = new SimulatedClock({ startEpochMillis: options.startEpochMillis ?? Date.now(), autoAdvance: true });
    const s3 = await startLocalS3({ directory: join(options.directory, 's3'), clock: () => clock.nowEpochMillis() });
    const laptop = new Laptop(options, { clock, s3 });
    await laptop.#open(options);
    return laptop;
  }

  get aws(): AwsEndpoint {
    if (this.#aws === undefined) {
      throw new Error('The laptop is not started: use Laptop.start().');
    }
    return this.#aws;
  }

  /** ARN of a machine by its construct id. */
  machineArn(machine: string): string {
    return resourceNamed(this.assembly.stateMachines, machine).arn;
  }

  /** Starts a machine by its construct id and waits for its end, whatever that is. */
  async run(machine: string, input: JsonValue, name?: string): Promise<ExecutionView> {
    const named = name === undefined ? {} : { name };
    const started = this.runtime.start({ stateMachineArn: this.machineArn(machine), input, ...named });
    return this.runtime.result(started.executionArn);
  }

  /** Waits until nothing runs any more: what an execution started beside itself, and what that started. */
  async quiet(): Promise<void> {
    for (;;) {
      const running = this.runtime.list({ status: 'RUNNING' });
      if (running.length === 0) {
        return;
      }
      await Promise.all(running.map(({ executionArn }) => this.runtime.result(executionArn)));
    }
  }

  async close(): Promise<void> {
    this.scheduler.close();
    this.s3Client.destroy();
    await this.#aws?.close();
    await this.s3.close();
    this.functions.close();
  }

  async #open({ secrets }: LaptopOptions): Promise<void> {
    const { runtime, scheduler } = this;
    this.#aws = await startAwsEndpoint({ runtime, scheduler, ...(secrets === undefined ? {} : { secrets }) });
    this.#endpoints.aws = this.#aws.url;
    await this.#createBuckets();
  }

  #createRuntime({ onEvent, aroundInvoke }: LaptopOptions): WorkflowRuntime {
    return createWorkflowRuntime({
      machines: this.assembly.stateMachines,
      invokeFunction: this.functions.invokeFunction,
      s3: this.s3Client,
      clock: this.clock,
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(aroundInvoke === undefined ? {} : { aroundInvoke }),
    });
  }

  #createScheduler(): LocalScheduler {
    const scheduler = new LocalScheduler({
      clock: this.clock,
      deliver: async ({ targetArn, input }) => {
        this.runtime.start({ stateMachineArn: targetArn, input: parseJson(input) });
      },
    });
    scheduler.load(this.assembly);
    return scheduler;
  }

  /** As the stacks would: the vault versioned, the work bucket not. Buckets of an earlier start stay. */
  async #createBuckets(): Promise<void> {
    const vault = resourceNamed(this.assembly.buckets, 'Vault/Bucket');
    const { ObjectLockEnabled } = this.assembly.properties(vault.stackName, vault.logicalId);
    for (const bucket of [this.vaultBucket, this.workBucket]) {
      const locked = bucket === this.vaultBucket && ObjectLockEnabled === true;
      await this.#createBucket(bucket, locked);
    }
    const versioning = { Status: 'Enabled' } as const;
    await this.s3Client.send(
      new PutBucketVersioningCommand({ Bucket: this.vaultBucket, VersioningConfiguration: versioning }),
    );
  }

  async #createBucket(bucket: string, locked: boolean): Promise<void> {
    try {
      await this.s3Client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: locked }));
    } catch (error) {
      if (!(error instanceof BucketAlreadyOwnedByYou)) {
        throw error;
      }
    }
  }
}

interface Endpoints {
  readonly s3: string;
  /** Known once it listens; functions are loaded later. */
  aws: string;
}

const CREDENTIALS = { accessKeyId: 'laptop', secretAccessKey: 'laptop' };

function s3ClientFor(s3: LocalS3): S3Client {
  return createS3Client({ caller: 'laptop', endpoint: s3.endpoint, region: REGION, credentials: CREDENTIALS });
}

function environmentOf(
  endpoints: Endpoints,
  { logLevel = 'ERROR', machineAheadMillis = 0 }: LaptopOptions,
): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SFN: endpoints.aws,
    AWS_ENDPOINT_URL_SCHEDULER: endpoints.aws,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.aws,
    RANKVAULT_MACHINE_AHEAD_MILLIS: String(machineAheadMillis),
    POWERTOOLS_LOG_LEVEL: logLevel,
  };
}
