import { randomUUID } from 'node:crypto';
import pMap, { pMapSkip } from 'p-map';
import type { MapState } from './definition.ts';
import type { Execution, ExecutionView } from './execution.ts';
import { readItems } from './item-reader.ts';
import { type JsonValue, roundTrip } from './json.ts';
import { itemInput, maxConcurrencyOf } from './map-items.ts';
import { type MapResults, openResults } from './map-results.ts';
import { endExecution, newExecution, runExecution } from './run-execution.ts';
import type { StateRun } from './run-state.ts';
import { countEvents, emit, type Scope, subScope } from './scope.ts';
import { Halted, toleranceExceeded } from './state-failure.ts';
import { type Tolerance, toleranceOf } from './tolerance.ts';

/** What AWS makes of a label: at most 40 characters, none of them special. */
const LABEL_MAX_CHARACTERS = 40;

interface MapRun {
  readonly state: MapState;
  readonly run: StateRun;
  /** Ends when the Map Run does; its children with it. */
  readonly children: Scope;
  readonly endChildren: () => void;
  readonly mapRunArn: string;
  /** `machine/label` */
  readonly machineAndLabel: string;
  readonly tolerance: Tolerance;
  readonly results: MapResults;
}

/**
 * A Distributed Map: every item becomes an execution of its own, with its own context, history and limits. When more
 * of them fail than is tolerated the state fails with `States.ExceedToleratedFailureThreshold` and nothing else of the
 * children's errors; the children that run are stopped then, their functions are not. Items are read as they are
 * needed.
 */
export async function runDistributedMap(state: MapState, run: StateRun): Promise<JsonValue> {
  const concurrency = await maxConcurrencyOf(state, run);
  const children = subScope(run.scope);
  const mapRun = { ...(await openMapRun(state, run)), children: children.scope, endChildren: children.end };
  countEvents(run.scope, 2);
  emit(run.scope, 'mapRunStarted', { state: run.name, mapRunArn: mapRun.mapRunArn });
  try {
    await runItems(mapRun, concurrency);
  } catch (error) {
    if (!(error instanceof ToleranceReached)) throw error;
  }
  return await closeMapRun(mapRun);
}

/** Ends the reading of items; the state's own error is made when everything has ended. */
class ToleranceReached extends Error {
  override readonly name = 'ToleranceReached';
}

async function runItems(mapRun: MapRun, concurrency: number): Promise<void> {
  const { state, run, children, tolerance } = mapRun;
  const running = new Set<Promise<void>>();
  const runItem = async (item: JsonValue, index: number) => {
    if (children.signal.aborted) throw new Halted();
    const child = runChild({ item, index }, mapRun);
    running.add(child);
    await child.finally(() => running.delete(child));
    if (tolerance.isExceeded()) throw new ToleranceReached();
    return pMapSkip;
  };
  const limit = run.scope.services.maxConcurrency;
  try {
    await pMap(readItems(state, run, tolerance), runItem, { concurrency: Math.min(concurrency || limit, limit) });
  } finally {
    mapRun.endChildren();
    await Promise.allSettled(running);
  }
}

async function openMapRun(state: MapState, run: StateRun): Promise<Omit<MapRun, 'children' | 'endChildren'>> {
  const { view } = run.scope.execution;
  const label = state.Label ?? run.name.replaceAll(/[^0-9A-Za-z-_]/g, '').slice(0, LABEL_MAX_CHARACTERS);
  const machineAndLabel = `${view.stateMachineName}/${label}`;
  const mapRunId = randomUUID();
  const mapRunArn = `${arnPrefix(view)}:mapRun:${machineAndLabel}:${mapRunId}`;
  const tolerance = await toleranceOf(state, run);
  const results = await openResults(state, run, { mapRunArn, mapRunId });
  return { state, run, mapRunArn, machineAndLabel, tolerance, results };
}

/** The results are written also when too many children failed: that is where their errors can be read. */
async function closeMapRun(mapRun: MapRun): Promise<JsonValue> {
  const { run, results, tolerance, mapRunArn } = mapRun;
  const output = await results.close();
  const exceeded = tolerance.isExceededAtEnd();
  const status = exceeded ? 'FAILED' : 'SUCCEEDED';
  countEvents(run.scope, 2);
  emit(run.scope, 'mapRunEnded', { state: run.name, mapRunArn, status });
  if (exceeded) throw toleranceExceeded();
  return output;
}

interface Item {
  readonly item: JsonValue;
  readonly index: number;
}

/** Runs one child and notes how it ended. */
async function runChild(item: Item, mapRun: MapRun): Promise<void> {
  const { run, state, children, tolerance } = mapRun;
  const child = await newChild(item, mapRun);
  const details = { state: run.name, itemIndex: item.index, mapRunArn: mapRun.mapRunArn };
  run.scope.services.remember(child);
  emit(run.scope, 'mapItemStarted', details);
  const stop = () => endExecution(child, run.scope.services, { status: 'ABORTED' });
  children.signal.addEventListener('abort', stop, { once: true });
  void runExecution(child, state.processor, run.scope.services);
  await child.ended;
  children.signal.removeEventListener('abort', stop);
  emit(run.scope, 'mapItemEnded', { ...details, status: child.view.status });
  tolerance.note(child.view.status);
  await mapRun.results.add(child.view, item.index);
}

async function newChild({ item, index }: Item, mapRun: MapRun): Promise<Execution> {
  const { run, state, machineAndLabel, mapRunArn } = mapRun;
  const { view } = run.scope.execution;
  const input = await itemInput(state, { item, index }, run);
  const name = randomUUID();
  const kind = state.processor.executionType === 'EXPRESS' ? 'express' : 'execution';
  return newExecution(
    {
      executionArn: `${arnPrefix(view)}:${kind}:${machineAndLabel}:${name}`,
      stateMachineArn: `${arnPrefix(view)}:stateMachine:${machineAndLabel}`,
      stateMachineName: machineAndLabel,
      name,
      type: state.processor.executionType,
      roleArn: view.roleArn,
      input: roundTrip(input, `Item ${index} of "${run.name}"`),
      mapRunArn,
    },
    run.scope.services.clock.nowEpochMillis(),
  );
}

/** `arn:aws:states:us-east-1:000000000000` */
function arnPrefix(view: ExecutionView): string {
  return view.stateMachineArn.split(':').slice(0, 5).join(':');
}
