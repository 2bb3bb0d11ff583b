import * as z from 'zod/mini';
import { working } from '../clock/local-clock.ts';
import type { ItemReader, MapState } from './definition.ts';
import { type JsonValue, parseJson } from './json.ts';
import { itemsOfState, numberOf } from './map-items.ts';
import { parseWith } from './parse-with.ts';
import { fillTemplate } from './payload-template.ts';
import { pathScope, type StateRun } from './run-state.ts';
import { itemReaderFailed, StateFailure, unsupported } from './state-failure.ts';
import type { Tolerance } from './tolerance.ts';

const listParameters = z.strictObject({ Bucket: z.string(), Prefix: z.optional(z.string()) });
const objectParameters = z.strictObject({ Bucket: z.string(), Key: z.string() });

/**
 * The items of a Distributed Map, one at a time: from the state's input, from a listing, or from an object. JSON Lines
 * are streamed; a JSON array is parsed whole.
 *
 * @throws StateFailure `States.ItemReaderFailed`
 */
export async function* readItems(state: MapState, run: StateRun, tolerance: Tolerance): AsyncIterable<JsonValue> {
  const maxItems = await numberOf(
    state.ItemReader?.ReaderConfig?.MaxItems,
    state.ItemReader?.ReaderConfig?.MaxItemsPath,
    run,
  );
  let count = 0;
  for await (const item of sourceOf(state, run)) {
    if (maxItems !== undefined && maxItems > 0 && count >= maxItems) break;
    count += 1;
    tolerance.noteItem();
    yield item;
  }
  tolerance.noteAllRead();
}

async function* sourceOf(state: MapState, run: StateRun): AsyncIterable<JsonValue> {
  if (state.ItemReader === undefined) {
    yield* await itemsOfState(state, run);
    return;
  }
  const items = await openReader(state.ItemReader, run);
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await working(run.scope.services.clock, () => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw asReaderFailure(error);
  } finally {
    await iterator.return?.();
  }
}

async function openReader(reader: ItemReader, run: StateRun): Promise<AsyncIterable<JsonValue>> {
  const { items } = run.scope.services;
  const parameters = await fillTemplate(reader.Parameters, pathScope(run));
  const operation = reader.Resource.split(':states:::')[1];
  if (operation === 's3:listObjectsV2') {
    const { Bucket: bucket, Prefix: prefix } = parse(listParameters, parameters);
    return items.list(bucket, prefix ?? '');
  }
  if (operation !== 's3:getObject') throw unsupported(`The ItemReader of "${run.name}" uses ${reader.Resource}.`);
  const { Bucket: bucket, Key: key } = parse(objectParameters, parameters);
  const inputType = reader.ReaderConfig?.InputType;
  if (inputType === 'JSONL') return parseLines(items.readLines(bucket, key));
  if (inputType === 'JSON') return parseArray(() => items.readText(bucket, key));
  throw unsupported(`The ItemReader of "${run.name}" names no InputType.`);
}

async function* parseLines(lines: AsyncIterable<string>): AsyncIterable<JsonValue> {
  for await (const line of lines) if (line.trim() !== '') yield parseJson(line);
}

async function* parseArray(read: () => Promise<string>): AsyncIterable<JsonValue> {
  const items = parseJson(await read());
  if (!Array.isArray(items)) throw itemReaderFailed('The JSON file of the ItemReader holds no array.');
  yield* items;
}

function parse<T extends z.ZodMiniType>(schema: T, parameters: JsonValue): z.output<T> {
  return parseWith(schema, parameters, (problem) => itemReaderFailed(`The ItemReader's parameters: ${problem}`));
}

function asReaderFailure(error: unknown): StateFailure {
  if (error instanceof StateFailure) return error;
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return itemReaderFailed(`The ItemReader could not read its items. ${problem}`);
}
