import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod/mini';
import type { LocalClock } from '../clock/local-clock.ts';
import type { InvokeFunction } from '../workflow/execution.ts';
import { type JsonValue, parseJson } from '../workflow/json.ts';
import { ACCOUNT, type Assembly, type FunctionModel, REGION } from './assembly-model.ts';
import { loadHandlers } from './load-module.ts';

/** The payload of a synchronous invocation, each way (Lambda quotas). */
const PAYLOAD_MAX_BYTES = 6 * 1024 * 1024;

export interface FunctionHostOptions {
  readonly assembly: Pick<Assembly, 'functions'>;
  readonly clock: LocalClock;
  /**
   * Added to a function's own variables, and stronger: where the endpoints are, what credentials to use.
   *
   * @default - nothing
   */
  readonly environment?: (target: FunctionModel) => Readonly<Record<string, string>>;
  /**
   * How long a call may take on the clock, for handlers that ask how much time is left.
   *
   * @default - the function's timeout
   */
  readonly budgetMillis?: (target: FunctionModel, invocation: number) => number | undefined;
}

export interface FunctionHost {
  readonly invokeFunction: InvokeFunction;
  /** @throws FunctionNotFound */
  find(nameOrArn: string): FunctionModel;
  /** Invocations so far, by function name. */
  invocations(): ReadonlyMap<string, number>;
}

/** What Lambda gives a handler besides the event, as far as the project's handlers may rely on it. */
export interface LocalLambdaContext {
  readonly awsRequestId: string;
  readonly callbackWaitsForEmptyEventLoop: boolean;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly invokedFunctionArn: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly memoryLimitInMB: string;
  getRemainingTimeInMillis(): number;
}

type Handler = (event: JsonValue, context: LocalLambdaContext) => unknown;

const moduleShape = z.record(z.string(), z.unknown());
const handlerShape = z.custom<Handler>((value) => typeof value === 'function');

export class FunctionNotFound extends Error {
  override readonly name = 'ResourceNotFoundException';

  constructor(nameOrArn: string) {
    super(`Function not found: ${nameOrArn}. Name one of those in the assembly.`);
  }
}

export class FunctionNotLoadable extends Error {
  override readonly name = 'FunctionNotLoadable';
}

/**
 * Runs the bundles that `cdk deploy` would ship, in this process. A function's module is imported once, at its first
 * call, under its own environment; a second host imports its own copy.
 */
export function createFunctionHost(options: FunctionHostOptions): FunctionHost {
  const hostId = randomUUID();
  const loaded = new Map<string, Promise<Handler>>();
  const counts = new Map<string, number>();
  const byName = indexFunctions(options.assembly.functions);
  const find = (nameOrArn: string) => {
    const target = byName.get(nameOrArn) ?? byName.get(nameOrArn.replace(/:\$LATEST$/, ''));
    if (target === undefined) throw new FunctionNotFound(nameOrArn);
    return target;
  };
  const load = (target: FunctionModel) => {
    const known = loaded.get(target.arn) ?? loadHandler(target, { hostId, extra: options.environment?.(target) ?? {} });
    loaded.set(target.arn, known);
    return known;
  };
  return {
    find,
    invocations: () => counts,
    invokeFunction: async (nameOrArn, payload) => {
      const target = find(nameOrArn);
      const invocation = (counts.get(target.name) ?? 0) + 1;
      counts.set(target.name, invocation);
      const handler = await load(target);
      const budgetMillis = options.budgetMillis?.(target, invocation) ?? target.timeoutSeconds * 1000;
      const context = contextOf(target, { nameOrArn, budgetMillis, clock: options.clock });
      return serialize(await handler(serialize(payload, target), context), target);
    },
  };
}

function indexFunctions(functions: readonly FunctionModel[]): ReadonlyMap<string, FunctionModel> {
  const byName = new Map<string, FunctionModel>();
  for (const target of functions) {
    for (const arn of [target.arn, ...target.qualifiedArns]) {
      byName.set(arn, target);
      byName.set(arn.slice(arn.indexOf(':function:') + ':function:'.length), target);
    }
  }
  return byName;
}

interface LoadOptions {
  readonly hostId: string;
  readonly extra: Readonly<Record<string, string>>;
}

async function loadHandler(target: FunctionModel, { hostId, extra }: LoadOptions): Promise<Handler> {
  if (target.code.kind === 'inline') {
    throw new FunctionNotLoadable(`${target.constructPath} has inline code. Bundle it as an asset to run it here.`);
  }
  const dot = target.handler.lastIndexOf('.');
  const file = join(target.code.directory, `${target.handler.slice(0, dot)}.mjs`);
  const url = `${pathToFileURL(file).href}?host=${hostId}&function=${encodeURIComponent(target.name)}`;
  const exported = z.parse(moduleShape, { ...(await loadHandlers(url, environmentOf(target, extra))) });
  const handler = z.safeParse(handlerShape, exported[target.handler.slice(dot + 1)]);
  if (handler.success) return handler.data;
  throw new FunctionNotLoadable(`${file} does not export ${target.handler.slice(dot + 1)}. Check the handler's name.`);
}

/** The function's own variables, and those that Lambda sets itself. */
function environmentOf(target: FunctionModel, extra: Readonly<Record<string, string>>): Record<string, string> {
  return {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_LAMBDA_FUNCTION_NAME: target.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(target.memoryMegabytes),
    AWS_EXECUTION_ENV: `AWS_Lambda_${target.runtime}`,
    LAMBDA_TASK_ROOT: '/var/task',
    ...target.environment,
    ...extra,
  };
}

interface CallOptions {
  readonly nameOrArn: string;
  readonly budgetMillis: number;
  readonly clock: LocalClock;
}

function contextOf(target: FunctionModel, { nameOrArn, budgetMillis, clock }: CallOptions): LocalLambdaContext {
  const deadlineEpochMillis = clock.nowEpochMillis() + budgetMillis;
  const arnStart = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:`;
  return {
    awsRequestId: randomUUID(),
    callbackWaitsForEmptyEventLoop: true,
    functionName: target.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: nameOrArn.startsWith('arn:') ? nameOrArn : `${arnStart}${nameOrArn}`,
    logGroupName: `/aws/lambda/${target.name}`,
    logStreamName: 'local',
    memoryLimitInMB: String(target.memoryMegabytes),
    getRemainingTimeInMillis: () => deadlineEpochMillis - clock.nowEpochMillis(),
  };
}

/** JSON and nothing else passes between Step Functions and a function. */
function serialize(value: unknown, target: FunctionModel): JsonValue {
  const text = JSON.stringify(value) ?? 'null';
  if (Buffer.byteLength(text) > PAYLOAD_MAX_BYTES) {
    throw new FunctionNotLoadable(`A payload of ${target.name} exceeds 6 MB. Pass data through S3.`);
  }
  return parseJson(text);
}
