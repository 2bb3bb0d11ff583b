import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeAnyResource, acknowledgeOpenEnds } from '../acknowledge.ts';
import type { Vault } from '../storage/vault.ts';
import type { WorkBucket } from '../storage/work-bucket.ts';
import type { FunctionBundles } from './function-bundles.ts';
import { type FunctionName, pascalCase } from './function-names.ts';
import type { SitePlacement } from './site-placement.ts';

/** How long logs are kept: a quarter, which covers every execution that Step Functions still shows (90 days). */
export const LOG_RETENTION = logs.RetentionDays.THREE_MONTHS;

/** Memory also sets the share of a processor: 1,769 MB is one (Lambda guide, memory). */
export const SIZES = {
  /** Reads or writes a handful of small objects. */
  small: { memoryMegabytes: 512, timeout: Duration.minutes(2) },
  /** Reads whole listings or many records; most of the time it waits for S3. 15 minutes: the most Lambda gives. */
  listing: { memoryMegabytes: 1024, timeout: Duration.minutes(15) },
  /** Compresses or checksums as fast as one processor can. */
  streaming: { memoryMegabytes: 1769, timeout: Duration.minutes(15) },
} as const;
export type FunctionSize = keyof typeof SIZES;

/** What all functions of a deployment share. */
export interface FunctionContext {
  readonly stack: Stack;
  readonly deployment: string;
  readonly vault: Vault;
  readonly work: WorkBucket;
  readonly bundles: FunctionBundles;
}

interface RankvaultFunctionProps {
  readonly context: FunctionContext;
  readonly name: FunctionName;
  readonly size: FunctionSize;
  /** @default - only what every function has */
  readonly environment?: Readonly<Record<string, string>>;
  /** @default - outside of any VPC, no mount */
  readonly placement?: SitePlacement;
  /** @default - nothing is reserved */
  readonly reservedConcurrency?: number;
}

/** One Lambda with a role and a log group of its own. Grants are added by whoever knows what the function is for. */
export class RankvaultFunction extends Construct implements iam.IGrantable {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  readonly grantPrincipal: iam.IPrincipal;

  constructor(scope: Construct, props: RankvaultFunctionProps) {
    super(scope, pascalCase(props.name));
    const { placement } = props;
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    this.grantPrincipal = this.role;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(this.role);
    placement?.grantNetworkInterfaces(this.role);
    this.function = new lambda.Function(this, 'Function', {
      ...runtimeProps(props),
      role: this.role,
      logGroup,
      ...placement?.functionProps(props.name),
      ...(props.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: props.reservedConcurrency }),
    });
    this.#describe(props.name, placement?.key);
    acknowledgeAnyResource(this.role, 'Traces and network interfaces: their actions take no resource.');
    acknowledgeOpenEnds(
      this.role,
      'Objects below the prefixes that the function is for, schedules of one group, and a secret by its name, to which Secrets Manager adds six characters.',
    );
  }

  /** Tells a local runtime, and a reader of the template, which file this is. */
  #describe(name: FunctionName, site: string | undefined): void {
    const resource = this.function.node.defaultChild;
    if (resource instanceof lambda.CfnFunction) {
      resource.addMetadata('rankvault', { function: name, ...(site === undefined ? {} : { site }) });
    }
  }
}

function runtimeProps({ context, name, size, environment }: RankvaultFunctionProps) {
  return {
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    handler: 'index.handler',
    code: context.bundles.codeOf(name),
    memorySize: SIZES[size].memoryMegabytes,
    timeout: SIZES[size].timeout,
    tracing: lambda.Tracing.ACTIVE,
    environment: {
      VAULT_BUCKET: context.vault.bucket.bucketName,
      WORK_BUCKET: context.work.bucket.bucketName,
      DEPLOYMENT: context.deployment,
      BUCKET_OWNER: context.stack.account,
      POWERTOOLS_SERVICE_NAME: 'rankvault',
      NODE_OPTIONS: '--enable-source-maps',
      ...environment,
    },
  };
}
