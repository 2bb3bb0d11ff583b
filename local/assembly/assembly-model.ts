import type { JsonObject, JsonValue } from '../workflow/json.ts';

/** Where everything of the assembly pretends to be. */
export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
export const PARTITION = 'aws';

/** What every resource has. */
export interface ResourceIdentity {
  readonly stackName: string;
  readonly logicalId: string;
  /** `Stack/Construct/Resource`; without path metadata in the assembly, `Stack/<logical id>`. */
  readonly constructPath: string;
  readonly name: string;
  readonly arn: string;
}

export interface StateMachineModel extends ResourceIdentity {
  readonly definition: JsonValue;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly roleArn: string;
}

export type FunctionCode =
  | { readonly kind: 'asset'; readonly directory: string }
  | { readonly kind: 'inline'; readonly source: string };

export interface FunctionModel extends ResourceIdentity {
  /** ARNs of the versions and aliases that point at this function. */
  readonly qualifiedArns: readonly string[];
  readonly code: FunctionCode;
  /** `index.handler` */
  readonly handler: string;
  readonly runtime: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly roleArn: string;
  readonly isInVpc: boolean;
}

export interface ScheduleTarget {
  readonly arn: string;
  readonly roleArn: string;
  readonly input?: string;
  readonly deadLetterArn?: string;
  readonly maximumEventAgeSeconds?: number;
  readonly maximumRetryAttempts?: number;
}

export interface ScheduleModel extends ResourceIdentity {
  readonly groupName: string;
  /** `rate(...)`, `cron(...)` or `at(...)`. */
  readonly expression: string;
  readonly timeZone: string;
  readonly isEnabled: boolean;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly flexibleWindowMinutes: number;
  readonly target: ScheduleTarget;
}

/** The parts of a CDK cloud assembly that the laptop runs, with every reference resolved. */
export interface Assembly {
  readonly directory: string;
  readonly stackNames: readonly string[];
  readonly stateMachines: readonly StateMachineModel[];
  readonly functions: readonly FunctionModel[];
  readonly buckets: readonly ResourceIdentity[];
  readonly schedules: readonly ScheduleModel[];
  readonly scheduleGroups: readonly ResourceIdentity[];
  readonly roles: readonly ResourceIdentity[];
  readonly queues: readonly ResourceIdentity[];
  readonly topics: readonly ResourceIdentity[];
  /** Outputs by `Stack.OutputName`. */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /**
   * The properties of any resource, resolved.
   *
   * @throws AssemblyRefused when there is no such resource, or its properties use what is not understood
   */
  properties(stackName: string, logicalId: string): JsonObject;
}

/** The assembly is no CDK cloud assembly, or says something that cannot be resolved offline. */
export class AssemblyRefused extends Error {
  override readonly name = 'AssemblyRefused';
}
