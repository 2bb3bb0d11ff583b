import type { MapState } from './definition.ts';
import type { JsonValue } from './json.ts';
import { selectPath } from './json-path.ts';
import { fillTemplate } from './payload-template.ts';
import { pathScope, type StateRun } from './run-state.ts';
import { runtimeFailure } from './state-failure.ts';

/** The list that a Map without an ItemReader goes through. */
export async function itemsOfState(state: MapState, run: StateRun): Promise<readonly JsonValue[]> {
  const items = state.ItemsPath === undefined ? run.effective : await selectPath(state.ItemsPath, pathScope(run));
  if (Array.isArray(items)) return items;
  throw runtimeFailure(`Reference path "${state.ItemsPath ?? '$'}" of "${run.name}" must point to an array.`);
}

/** What an iteration starts with: the item, or what ItemSelector makes of it, the state's input and `$$.Map.Item`. */
export async function itemInput(
  state: MapState,
  { item, index }: { readonly item: JsonValue; readonly index: number },
  run: StateRun,
): Promise<JsonValue> {
  const selector = state.ItemSelector ?? state.Parameters;
  if (selector === undefined) return item;
  const context = { ...run.context, Map: { Item: { Index: index, Value: item } } };
  return await fillTemplate(selector, { state: run.effective, context });
}

/** 0 means that the definition leaves it open. */
export async function maxConcurrencyOf(state: MapState, run: StateRun): Promise<number> {
  return (await numberOf(state.MaxConcurrency, state.MaxConcurrencyPath, run)) ?? 0;
}

/** A number given directly, or by a path in the state's input. */
export async function numberOf(
  direct: number | undefined,
  path: string | undefined,
  run: StateRun,
): Promise<number | undefined> {
  if (path === undefined) return direct;
  const value = await selectPath(path, pathScope(run));
  if (typeof value === 'number' && value >= 0) return value;
  throw runtimeFailure(`'${path}' of "${run.name}" gives ${JSON.stringify(value)}, not a number from 0 up.`);
}
