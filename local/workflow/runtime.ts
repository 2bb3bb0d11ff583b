import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { type LocalClock, working } from '../clock/local-clock.ts';
import type { Flow } from './definition.ts';
import type {
  AroundInvoke,
  Execution,
  ExecutionStatus,
  ExecutionView,
  InvokeFunction,
  Services,
  TaskHandler,
  WorkflowEvent,
} from './execution.ts';
import { sameJson } from './intrinsic-functions.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { parseDefinition } from './parse-definition.ts';
import { endExecution, newExecution, runExecution } from './run-execution.ts';
import { s3ItemStore } from './s3-item-store.ts';
import {
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidName,
  StateMachineDoesNotExist,
} from './start-errors.ts';
import { type ExecutionCalls, startExecutionSyncTask, startExecutionTask } from './start-execution-task.ts';

/** Names of executions: 1 to 80 characters without space, brackets, wildcards, quotes, control characters and the like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the API forbids exactly these
const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/u;

/** Children of Distributed Maps that can still be described after their end; older ones are forgotten. */
const REMEMBERED_CHILDREN = 1000;

export interface MachineSource {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  /** States Language, as an object or as JSON text. */
  readonly definition: unknown;
  /** @default 'STANDARD' */
  readonly type?: 'STANDARD' | 'EXPRESS';
}

export interface WorkflowRuntimeOptions {
  readonly machines: readonly MachineSource[];
  readonly invokeFunction: InvokeFunction;
  /** For the items and results of Distributed Maps. */
  readonly s3: S3Client;
  readonly clock: LocalClock;
  readonly onEvent?: (event: WorkflowEvent) => void;
  /** Services by integration: `{ 'sns:publish': ... }`. What is not here fails as `Local.Unsupported`. */
  readonly tasks?: Readonly<Record<string, TaskHandler>>;
  /** @default - the function is simply called */
  readonly aroundInvoke?: AroundInvoke;
  /** @default 64 - the most children that run at once, whatever a definition allows */
  readonly maxConcurrency?: number;
  /** @default Math.random - for jitter */
  readonly random?: () => number;
}

export interface StartRequest {
  readonly stateMachineArn: string;
  /** @default - a UUID */
  readonly name?: string;
  readonly input?: JsonValue;
}

export interface WorkflowRuntime {
  readonly machines: readonly MachineSource[];
  /**
   * @throws StateMachineDoesNotExist, InvalidName, ExecutionAlreadyExists; StateFailure `States.DataLimitExceeded` for
   *   an input that is too large
   */
  start(request: StartRequest): ExecutionView;
  /** @throws ExecutionDoesNotExist */
  describe(executionArn: string): ExecutionView;
  /** Newest first, without the children of Distributed Maps unless a Map Run is asked for. */
  list(filter?: ListFilter): readonly ExecutionView[];
  /** The execution is ABORTED at once; functions that run are not killed, their results are ignored. */
  stop(executionArn: string, reason?: { readonly error?: string; readonly cause?: string }): ExecutionView;
  /** Waits for the end of the execution, however it ends. */
  result(executionArn: string): Promise<ExecutionView>;
}

export interface ListFilter {
  readonly stateMachineArn?: string;
  readonly status?: ExecutionStatus;
  readonly mapRunArn?: string;
}

interface Machine {
  readonly source: MachineSource;
  readonly flow: Flow;
}

/** @throws DefinitionRefused when a definition uses what the local runtime does not have */
export function createWorkflowRuntime(options: WorkflowRuntimeOptions): WorkflowRuntime {
  const machines = new Map<string, Machine>();
  for (const source of options.machines) {
    machines.set(source.arn, { source, flow: parseDefinition(source.definition, source.name) });
  }
  const executions = new Map<string, Execution>();
  const find = (executionArn: string) => {
    const execution = executions.get(executionArn);
    if (execution === undefined) throw new ExecutionDoesNotExist(executionArn);
    return execution;
  };
  const runtime: WorkflowRuntime = {
    machines: options.machines,
    start: (request) => startExecution(request, { machines, executions, services }),
    describe: (executionArn) => find(executionArn).view,
    list: (filter = {}) => listExecutions(executions.values(), filter),
    stop: (executionArn, reason = {}) => {
      const execution = find(executionArn);
      endExecution(execution, services, { status: 'ABORTED', ...reason });
      return execution.view;
    },
    result: async (executionArn) => {
      const execution = find(executionArn);
      await execution.ended;
      return execution.view;
    },
  };
  const services = createServices(options, runtime, rememberChildren(executions));
  return runtime;
}

function createServices(
  options: WorkflowRuntimeOptions,
  calls: ExecutionCalls,
  remember: (execution: Execution) => void,
): Services {
  const { clock, invokeFunction, aroundInvoke, onEvent } = options;
  const tasks = new Map<string, TaskHandler>(Object.entries(options.tasks ?? {}));
  tasks.set('states:startExecution', startExecutionTask(calls));
  tasks.set('states:startExecution.sync:2', startExecutionSyncTask(calls));
  return {
    clock,
    tasks,
    remember,
    items: s3ItemStore(options.s3),
    emit: (event) => onEvent?.(event),
    random: options.random ?? Math.random,
    maxConcurrency: options.maxConcurrency ?? 64,
    invoke: async (call) => {
      const proceed = () => working(clock, () => invokeFunction(call.functionNameOrArn, structuredClone(call.payload)));
      return await (aroundInvoke === undefined ? proceed() : aroundInvoke(call, proceed));
    },
  };
}

interface Registry {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly executions: Map<string, Execution>;
  readonly services: Services;
}

function startExecution(request: StartRequest, { machines, executions, services }: Registry): ExecutionView {
  const machine = machines.get(request.stateMachineArn);
  if (machine === undefined) throw new StateMachineDoesNotExist(request.stateMachineArn);
  const { arn, name: machineName, roleArn, type = 'STANDARD' } = machine.source;
  const name = request.name ?? randomUUID();
  if (!NAME.test(name)) throw new InvalidName(name);
  const input = roundTrip(request.input ?? {}, "The execution's input");
  const executionArn = `${arn.replace(':stateMachine:', ':execution:')}:${name}`;
  const existing = executions.get(executionArn);
  if (existing !== undefined) {
    if (existing.view.status === 'RUNNING' && sameJson(existing.view.input, input)) return existing.view;
    throw new ExecutionAlreadyExists(executionArn);
  }
  const execution = newExecution(
    { executionArn, stateMachineArn: arn, stateMachineName: machineName, name, type, roleArn, input },
    services.clock.nowEpochMillis(),
  );
  executions.set(executionArn, execution);
  void runExecution(execution, machine.flow, services);
  return execution.view;
}

function rememberChildren(executions: Map<string, Execution>): (execution: Execution) => void {
  const ended: string[] = [];
  return (execution) => {
    const { executionArn } = execution.view;
    executions.set(executionArn, execution);
    void execution.ended.then(() => {
      ended.push(executionArn);
      const oldest = ended.length > REMEMBERED_CHILDREN ? ended.shift() : undefined;
      if (oldest !== undefined) executions.delete(oldest);
    });
  };
}

function listExecutions(executions: Iterable<Execution>, filter: ListFilter): readonly ExecutionView[] {
  const views = Array.from(executions, (execution) => execution.view).filter(
    (view) =>
      view.mapRunArn === filter.mapRunArn &&
      (filter.stateMachineArn === undefined || view.stateMachineArn === filter.stateMachineArn) &&
      (filter.status === undefined || view.status === filter.status),
  );
  return views.toReversed();
}
