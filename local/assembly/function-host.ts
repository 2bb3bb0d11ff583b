import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod/mini';
import type { LocalClock } from '../clock/local-clock.ts';
import type { InvokeFunction } from '../workflow/execution.ts';
import { type JsonValue, parseJson } from '../workflow/json.ts';
import { ACCOUNT, type Assembly, type FunctionModel, REGION } from './assembly-model.ts';
import { runUnderEnvironment } from './scoped-environment.ts';

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
  /** Handlers of this host see the machine's time from here on. */
  close(): void;
}

/** What Lambda gives a handler besides the event, as far as the project's handlers may rely on it. */
interface LocalLambdaContext {
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

const handlerShape = z.custom<Handler>((value) => typeof value === 'function');

class FunctionNotFound extends Error {
  override readonly name = 'ResourceNotFoundException';

  constructor(nameOrArn: string) {
    super(`Function not found: ${nameOrArn}. Name one of those in the assembly.`);
  }
}

class FunctionNotLoadable extends Error {
  override readonly name = 'FunctionNotLoadable';
}

/**
 * Runs the bundles that `cdk deploy` would ship, in this process. A function's module is imported once, at its first
 * call, and runs under its own environment; a second host imports its own copy.
 */
export function createFunctionHost(options: FunctionHostOptions): FunctionHost {
  const hostId = randomUUID();
  const loaded = new Map<string, Promise<Handler>>();
  const counts = new Map<string, number>();
  const byName = indexFunctions(options.assembly.functions);
  const shared = shareClock(hostId, options.clock);
  const find = (nameOrArn: string) => {
    const target = byName.get(nameOrArn) ?? byName.get(nameOrArn.replace(/:\$LATEST$/, ''));
    if (target === undefined) throw new FunctionNotFound(nameOrArn);
    return target;
  };
  const load = (target: FunctionModel) => {
    const known = loaded.get(target.arn) ?? loadHandler(target, hostId);
    loaded.set(target.arn, known);
    return known;
  };
  return {
    find,
    invocations: () => counts,
    close: shared.close,
    invokeFunction: async (nameOrArn, payload) => {
      const target = find(nameOrArn);
      const invocation = (counts.get(target.name) ?? 0) + 1;
      counts.set(target.name, invocation);
      const event = serialize(payload, target);
      const environment = { ...shared.environment, ...environmentOf(target, options.environment?.(target)) };
      const result = await runUnderEnvironment(environment, async () => {
        const handler = await load(target);
        const budgetMillis = options.budgetMillis?.(target, invocation) ?? target.timeoutSeconds * 1000;
        return await handler(event, contextOf(target, { nameOrArn, budgetMillis, clock: options.clock }));
      });
      return serialize(result, target);
    },
  };
}

/**
 * Gives handlers the runtime's clock. A bundle shares nothing with its host but the global object, so that is where it
 * looks (functions/runtime/clock.ts), under the name in RANKVAULT_CLOCK.
 */
function shareClock(hostId: string, clock: LocalClock) {
  const key = Symbol.for(`rankvault.clock.${hostId}`);
  Reflect.set(globalThis, key, () => clock.nowEpochMillis());
  return { environment: { RANKVAULT_CLOCK: hostId }, close: () => void Reflect.deleteProperty(globalThis, key) };
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

async function loadHandler(target: FunctionModel, hostId: string): Promise<Handler> {
  if (target.code.kind === 'inline') {
    throw new FunctionNotLoadable(`${target.constructPath} has inline code. Bundle it as an asset to run it here.`);
  }
  const dot = target.handler.lastIndexOf('.');
  const file = join(target.code.directory, `${target.handler.slice(0, dot)}.mjs`);
  const url = `${pathToFileURL(file).href}?host=${hostId}&function=${encodeURIComponent(target.name)}`;
  const exported: Readonly<Record<string, unknown>> = { ...(await import(/* @vite-ignore */ url)) };
  const handler = z.safeParse(handlerShape, exported[target.handler.slice(dot + 1)]);
  if (handler.success) return handler.data;
  throw new FunctionNotLoadable(`${file} does not export ${target.handler.slice(dot + 1)}. Check the handler's name.`);
}

/** The function's own variables, and those that Lambda sets itself. */
function environmentOf(target: FunctionModel, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
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
