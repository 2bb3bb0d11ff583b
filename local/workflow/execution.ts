import type { LocalClock } from '../clock/local-clock.ts';
import type { JsonValue } from './json.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** What a Standard execution's history may hold (Step Functions quotas). */
export const HISTORY_MAX_EVENTS = 25_000;

/** What DescribeExecution tells, and the two numbers that money and limits depend on. */
export interface ExecutionView {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  /** `machine` for an execution, `machine/label` for a child of a Distributed Map. */
  readonly stateMachineName: string;
  readonly name: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly roleArn: string;
  readonly status: ExecutionStatus;
  readonly startedAtEpochMillis: number;
  readonly stoppedAtEpochMillis?: number;
  readonly input: JsonValue;
  readonly output?: JsonValue;
  readonly error?: string;
  readonly cause?: string;
  /** Set for the children of a Distributed Map. */
  readonly mapRunArn?: string;
  readonly historyEvents: number;
  /** States entered, once more for each retry: what Standard executions are billed by. */
  readonly stateTransitions: number;
}

/** A run of a machine while it happens, and its record afterwards. */
export interface Execution {
  view: ExecutionView;
  readonly abort: AbortController;
  /** Resolves when the execution has ended, however it did. */
  readonly ended: Promise<void>;
  /** Resolves `ended`. */
  readonly markEnded: () => void;
}

export type WorkflowEventType =
  | 'executionStarted'
  | 'executionEnded'
  | 'entered'
  | 'exited'
  | 'failed'
  | 'retried'
  | 'caught'
  | 'mapRunStarted'
  | 'mapItemStarted'
  | 'mapItemEnded'
  | 'mapRunEnded';

/** For whoever watches: the demo's display, a test's expectations. */
export interface WorkflowEvent {
  readonly type: WorkflowEventType;
  readonly executionArn: string;
  readonly machine: string;
  /** The empty string for events of the whole execution. */
  readonly state: string;
  readonly atEpochMillis: number;
  readonly mapRunArn?: string;
  readonly itemIndex?: number;
  readonly status?: ExecutionStatus;
  readonly error?: string;
  readonly cause?: string;
  /** Why and for how long the state is tried again. */
  readonly retryDelayMillis?: number;
}

export interface FunctionCall {
  /** What the definition named: a function name or ARN, perhaps with a version or an alias. */
  readonly functionNameOrArn: string;
  readonly payload: JsonValue;
  readonly executionArn: string;
  readonly state: string;
}

/**
 * Calls a function. Resolves with its result; rejects with the very error that the handler threw, or with
 * LambdaServiceError where Lambda itself failed.
 */
export type InvokeFunction = (functionNameOrArn: string, payload: JsonValue) => Promise<JsonValue>;

/**
 * Stands between a Task and its function: faults are built from it. `proceed` may be called any number of times, and
 * what it started runs on when its caller does not wait: a zombie.
 */
export type AroundInvoke = (call: FunctionCall, proceed: () => Promise<JsonValue>) => Promise<JsonValue>;

/** A request of a Task state to a service: `sns:publish` with its parameters. */
export interface TaskRequest {
  readonly parameters: JsonValue;
  readonly executionArn: string;
  readonly state: string;
  /** Aborts when nobody waits for the answer any more: the task is over, ran out of its time, or its execution ended. */
  readonly signal: AbortSignal;
}
export type TaskHandler = (request: TaskRequest) => Promise<JsonValue>;

/** Everything an execution shares with the others of its runtime. */
export interface Services {
  readonly clock: LocalClock;
  readonly tasks: ReadonlyMap<string, TaskHandler>;
  readonly invoke: (call: FunctionCall) => Promise<JsonValue>;
  readonly items: ItemStore;
  readonly emit: (event: WorkflowEvent) => void;
  readonly random: () => number;
  /** The most children or iterations that run at once, whatever a definition allows. */
  readonly maxConcurrency: number;
  readonly remember: (execution: Execution) => void;
}

/** The S3 side of Distributed Maps. */
export interface ItemStore {
  readText(bucket: string, key: string): Promise<string>;
  readLines(bucket: string, key: string): AsyncIterable<string>;
  list(bucket: string, prefix: string): AsyncIterable<JsonValue>;
  write(bucket: string, key: string, body: string): Promise<void>;
}
