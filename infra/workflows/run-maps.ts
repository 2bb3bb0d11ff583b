import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { SiteFunctionName } from '../functions/function-names.ts';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import { loopWhile } from './choices.ts';
import { callFunction, callSiteFunction } from './function-tasks.ts';
import { JsonArrayInRun, JsonLinesInRun, ResultsInRun } from './run-objects.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** Names of a Map and of the states inside it: state names are unique in the whole machine. */
export interface MapNames {
  readonly map: string;
  readonly step: string;
  readonly check: string;
  readonly end: string;
}

interface RankMap {
  readonly names: MapNames;
  /** Of the Map runs, in the console and in the ARNs of the children. */
  readonly label: string;
  readonly call: SiteFunctionName;
  /** Constants that the function is given beside `run`, `rank` and `progress`. */
  readonly constants?: Readonly<Record<string, string>>;
}

/** One child a rank, in the run's list of ranks; the function is called until it says that the rank is done. */
export function mapOverRanks(context: WorkflowContext, props: RankMap): sfn.DistributedMap {
  const { scope } = context;
  const item = { ...props.constants, rank: sfn.JsonPath.objectAt('$$.Map.Item.Value') };
  return distributed(context, {
    ...props,
    list: ranks(context),
    concurrency: 'rankConcurrency',
    item: { ...item, site: NOT_DONE },
  }).itemProcessor(
    loopUntilDone(context, {
      names: props.names,
      call: props.call,
      payload: [...Object.keys(props.constants ?? {}), 'rank'],
    }).next(new sfn.Pass(scope, props.names.end, { parameters: { rank: sfn.JsonPath.objectAt('$.rank') } })),
  );
}

/** One child a rank; the function, which exists once, is called a single time. */
export function mapOverRanksOnce(
  context: WorkflowContext,
  props: { readonly names: Omit<MapNames, 'check'>; readonly label: string; readonly call: RankvaultFunction },
): sfn.DistributedMap {
  const { scope } = context;
  const rank = sfn.JsonPath.objectAt('$.rank');
  const item = { rank: sfn.JsonPath.objectAt('$$.Map.Item.Value') };
  const step = callFunction(scope, props.names.step, {
    call: props.call,
    payload: { run: sfn.JsonPath.objectAt('$.run'), rank },
    resultPath: sfn.JsonPath.DISCARD,
  });
  return distributed(context, { ...props, list: ranks(context), concurrency: 'rankConcurrency', item }).itemProcessor(
    step.next(new sfn.Pass(scope, props.names.end, { parameters: { rank } })),
  );
}

interface FixedMap {
  readonly names: MapNames;
  readonly label: string;
  /** A function that exists once. */
  readonly call: RankvaultFunction;
}

/** As `mapOverRanks`, of a function that exists once. */
export function mapOverRanksFixed(context: WorkflowContext, props: FixedMap): sfn.DistributedMap {
  return fixedMap(context, { ...props, list: ranks(context), concurrency: 'rankConcurrency', given: 'rank' });
}

interface ItemMap extends FixedMap {
  /** Where the run has the key of the list of items: JSON Lines of {unit}, {batch} or {rank, batch, key}. */
  readonly itemsKeyPath: string;
  readonly concurrency: 'rankConcurrency' | 'copyConcurrency';
}

/** One child an item; the function, which exists once, is called until it says that the item is done. */
export function mapOverItems(context: WorkflowContext, props: ItemMap): sfn.DistributedMap {
  return fixedMap(context, { ...props, list: linesAt(context, props.itemsKeyPath), given: 'item' });
}

/** Answers of functions that exist once stand by themselves: where the child stopped is at `$.progress`. */
function fixedMap(
  context: WorkflowContext,
  props: FixedMap & Pick<DistributedProps, 'list' | 'concurrency'> & { readonly given: 'rank' | 'item' },
): sfn.DistributedMap {
  const { scope } = context;
  const { names, given } = props;
  const it = sfn.JsonPath.objectAt(`$.${given}`);
  const step = callFunction(scope, names.step, {
    call: props.call,
    payload: { run: sfn.JsonPath.objectAt('$.run'), [given]: it, progress: sfn.JsonPath.objectAt('$.progress') },
    resultPath: '$.progress',
  });
  const notDone = sfn.Condition.booleanEquals('$.progress.done', false);
  const item = { [given]: sfn.JsonPath.objectAt('$$.Map.Item.Value'), ...NOT_DONE };
  return distributed(context, { ...props, item }).itemProcessor(
    sfn.Chain.start(step)
      .next(loopWhile(new sfn.Choice(scope, names.check), notDone, step))
      .next(new sfn.Pass(scope, names.end, { parameters: { [given]: it } })),
  );
}

interface BatchMap extends RankMap {
  /** Where the run has the key of the list of batches: JSON Lines of {rank, batch, key}. */
  readonly batchesKeyPath: string;
}

/** One child a batch of parts; the function is called until it says that the batch is done. */
export function mapOverBatches(context: WorkflowContext, props: BatchMap): sfn.DistributedMap {
  const { scope } = context;
  const list = linesAt(context, props.batchesKeyPath);
  const item = { ...props.constants, item: sfn.JsonPath.objectAt('$$.Map.Item.Value'), site: NOT_DONE };
  return distributed(context, { ...props, list, concurrency: 'copyConcurrency', item }).itemProcessor(
    loopUntilDone(context, {
      names: props.names,
      call: props.call,
      payload: [...Object.keys(props.constants ?? {}), 'item'],
    }).next(
      new sfn.Pass(scope, props.names.end, {
        parameters: { rank: sfn.JsonPath.objectAt('$.item.rank'), batch: sfn.JsonPath.stringAt('$.item.batch') },
      }),
    ),
  );
}

/** What a child begins with, where its function's answers will be. */
const NOT_DONE = { progress: { done: false } };

/** Running out of time is an answer, not an error: the function says where it stopped and is called again. */
function loopUntilDone(
  { scope, sites }: WorkflowContext,
  props: { readonly names: MapNames; readonly call: SiteFunctionName; readonly payload: readonly string[] },
): sfn.Chain {
  const given = Object.fromEntries(['run', ...props.payload].map((name) => [name, sfn.JsonPath.objectAt(`$.${name}`)]));
  const step = callSiteFunction(scope, props.names.step, {
    call: props.call,
    sites,
    payload: { ...given, progress: sfn.JsonPath.objectAt('$.site.progress') },
    answer: 'progress',
  });
  const notDone = sfn.Condition.booleanEquals('$.site.progress.done', false);
  return sfn.Chain.start(step).next(loopWhile(new sfn.Choice(scope, props.names.check), notDone, step));
}

interface DistributedProps {
  readonly names: Pick<MapNames, 'map'>;
  readonly label: string;
  readonly list: sfn.IItemReader;
  readonly concurrency: 'rankConcurrency' | 'copyConcurrency';
  readonly item: Readonly<Record<string, unknown>>;
}

/**
 * Items and results are in the work bucket, never in the state. No failure is tolerated: that is the default, and what CDK leaves out
 * when it is told 0.
 */
function distributed({ scope, work }: WorkflowContext, props: DistributedProps): sfn.DistributedMap {
  return sfn.DistributedMap.jsonPath(scope, props.names.map, {
    label: props.label,
    mapExecutionType: sfn.StateMachineType.STANDARD,
    itemReader: props.list,
    itemSelector: { run: sfn.JsonPath.objectAt('$.run'), ...props.item },
    maxConcurrencyPath: `$.run.${props.concurrency}`,
    resultWriterV2: new ResultsInRun({
      bucket: work.bucket,
      prefix: sfn.JsonPath.format(`{}${props.label}`, sfn.JsonPath.stringAt('$.run.resultsPrefix')),
    }),
    resultPath: sfn.JsonPath.DISCARD,
  });
}

function ranks({ work }: WorkflowContext): sfn.IItemReader {
  return new JsonArrayInRun({ bucket: work.bucket, key: sfn.JsonPath.stringAt('$.run.ranksKey') });
}

function linesAt({ work }: WorkflowContext, keyPath: string): sfn.IItemReader {
  return new JsonLinesInRun({ bucket: work.bucket, key: sfn.JsonPath.stringAt(keyPath) });
}
