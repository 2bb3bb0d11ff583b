import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { CfnAlias, Code, type IFunction, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Bucket, CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import {
  DefinitionBody,
  DistributedMap,
  JsonPath,
  ResultWriterV2,
  S3JsonLItemReader,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';

export interface SampleAssembly {
  readonly directory: string;
  remove(): void;
}

const HANDLER = `
const bucket = process.env.BUCKET;
let calls = 0;
export const handler = async (event, context) => {
  calls += 1;
  if (event.fail) { const error = new Error('no such part'); error.name = 'PartMissing'; throw error; }
  await new Promise((resolve) => setImmediate(resolve));
  return {
    event, bucket, calls,
    laterBucket: process.env.BUCKET, names: Object.keys(process.env),
    nowEpochMillis: globalThis[Symbol.for('rankvault.clock.' + process.env.RANKVAULT_CLOCK)]?.(),
    remainingMillis: context.getRemainingTimeInMillis(),
    functionName: context.functionName, arn: context.invokedFunctionArn, requestId: context.awsRequestId,
    memory: context.memoryLimitInMB, date: new Date(0), nothing: undefined,
  };
};`;

/** Two stacks with what Rankvault's own have: cross references, a bundled function, a Distributed Map, a schedule. */
export function synthesizeSample(): SampleAssembly {
  const folder = mkdtempSync(join(tmpdir(), 'rankvault-assembly-'));
  // The bundler looks for esbuild beside the lock file.
  symlinkSync(join(import.meta.dirname, '../../../node_modules'), join(folder, 'node_modules'), 'dir');
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  writeFileSync(join(folder, 'handler.mjs'), HANDLER);
  const directory = join(folder, 'cdk.out');
  const app = new App({
    outdir: directory,
    analyticsReporting: false,
    context: { '@aws-cdk/aws-stepfunctions:useDistributedMapResultWriterV2': true },
  });
  const bucket = Bucket.fromCfnBucket(new CfnBucket(new Stack(app, 'SampleVault'), 'Vault'));
  addEngine(new Stack(app, 'SampleEngine'), folder, bucket);
  app.synth();
  return { directory, remove: () => rmSync(folder, { recursive: true }) };
}

function addEngine(stack: Stack, folder: string, bucket: IBucket): void {
  const copy = new NodejsFunction(stack, 'Copy', {
    entry: join(folder, 'handler.mjs'),
    projectRoot: folder,
    depsLockFilePath: join(folder, 'package-lock.json'),
    runtime: Runtime.NODEJS_24_X,
    timeout: Duration.minutes(15),
    memorySize: 512,
    environment: { BUCKET: bucket.bucketName },
    bundling: { format: OutputFormat.ESM, logLevel: LogLevel.SILENT },
  });
  new LambdaFunction(stack, 'Inline', {
    code: Code.fromInline('exports.handler = async () => 1;'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });
  const alias = new CfnAlias(stack, 'Live', {
    name: 'live',
    functionName: copy.functionName,
    functionVersion: copy.currentVersion.version,
  });
  const live = LambdaFunction.fromFunctionArn(stack, 'LiveFunction', alias.ref);
  const machine = new StateMachine(stack, 'Snapshot', {
    definitionBody: DefinitionBody.fromChainable(steps(stack, copy, { live, bucket })),
  });
  const group = new CfnScheduleGroup(stack, 'Nightly');
  const queue = new Queue(stack, 'Undelivered');
  new Topic(stack, 'Alerts');
  new CfnSchedule(stack, 'Full', {
    name: 'full',
    groupName: group.ref,
    flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
    scheduleExpression: 'cron(0 2 ? * SUN *)',
    scheduleExpressionTimezone: 'Europe/Berlin',
    target: {
      arn: machine.stateMachineArn,
      roleArn: machine.role.roleArn,
      input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}',
      deadLetterConfig: { arn: queue.queueArn },
      retryPolicy: { maximumEventAgeInSeconds: 3600 },
    },
  });
  new CfnOutput(stack, 'MachineArn', { value: machine.stateMachineArn });
}

function steps(
  stack: Stack,
  copy: IFunction,
  { live, bucket }: { readonly live: IFunction; readonly bucket: IBucket },
) {
  const plan = new LambdaInvoke(stack, 'Plan', { lambdaFunction: copy, resultPath: '$.plan' });
  const each = new DistributedMap(stack, 'CopyParts', {
    itemReader: new S3JsonLItemReader({ bucket, key: JsonPath.stringAt('$.batches') }),
    resultWriterV2: new ResultWriterV2({ bucket, prefix: 'runs' }),
    maxConcurrency: 4,
    resultPath: '$.copied',
  });
  each.itemProcessor(new LambdaInvoke(stack, 'CopyBatch', { lambdaFunction: live, payloadResponseOnly: true }));
  return plan.next(each);
}
