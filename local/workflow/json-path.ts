import type { JsonObject, JsonValue } from './json.ts';
import { isJsonObject } from './json.ts';
import { runPackageMachine } from './package-machine.ts';
import { runtimeFailure, STATES_RUNTIME, StateFailure } from './state-failure.ts';

/** What paths of a state can see: `$` and `$$`. */
export interface PathScope {
  readonly state: JsonValue;
  readonly context: JsonObject;
}

/**
 * The package is given one document with both roots, so that `$$` is complete and unharmed (see package-machine.ts):
 * `$.a` becomes `$.state.a`, `$$.b` becomes `$.context.b`.
 *
 * @throws StateFailure `States.Runtime` when the text is no path
 */
export function rewritePath(path: string): string {
  if (path.startsWith('$$')) return `$.context${path.slice(2)}`;
  if (path.startsWith('$')) return `$.state${path.slice(1)}`;
  throw runtimeFailure(`'${path}' is not a JSONPath: a path starts with $.`);
}

export function asDocument(scope: PathScope): JsonObject {
  return { state: scope.state, context: scope.context };
}

/** @throws StateFailure `States.Runtime` when the path points at nothing */
export async function selectPath(path: string, scope: PathScope): Promise<JsonValue> {
  const values = await selectPaths([path], scope);
  const value = values.get(path);
  if (value === undefined) throw runtimeFailure(`The path '${path}' does not point to a value.`);
  return value;
}

/** Several paths in one run of the package. */
export async function selectPaths(paths: Iterable<string>, scope: PathScope): Promise<ReadonlyMap<string, JsonValue>> {
  const values = new Map<string, JsonValue>();
  const definite: string[] = [];
  for (const path of new Set(paths)) {
    if (isIndefinite(path)) values.set(path, await selectIndefinite(path, scope));
    else definite.push(path);
  }
  const found = definite.length === 0 ? {} : await runTemplate(definite, scope);
  for (const [index, path] of definite.entries()) {
    const value = found[String(index)];
    if (value !== undefined) values.set(path, value);
  }
  return values;
}

/** A path with wildcards, slices or filters selects a list, and an empty one when nothing matches; the package throws. */
async function selectIndefinite(path: string, scope: PathScope): Promise<JsonValue> {
  try {
    return (await runTemplate([path], scope))['0'] ?? [];
  } catch (error) {
    if (error instanceof StateFailure && error.errorName === STATES_RUNTIME) return [];
    throw error;
  }
}

async function runTemplate(paths: readonly string[], scope: PathScope): Promise<JsonObject> {
  const parameters = Object.fromEntries(paths.map((path, index) => [`${index}.$`, rewritePath(path)]));
  try {
    const result = await runPackageMachine(
      { StartAt: 'select', States: { select: { Type: 'Pass', Parameters: parameters, End: true } } },
      asDocument(scope),
    );
    return isJsonObject(result) ? result : {};
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    throw new StateFailure(error.errorName, restorePaths(error.causeText ?? ''));
  }
}

/** Messages of the package name the rewritten path; people should read theirs. */
export function restorePaths(message: string): string {
  return message.replaceAll('$.context', '$$$$').replaceAll('$.state', '$$');
}

function isIndefinite(path: string): boolean {
  const withoutQuoted = path.replaceAll(/\['[^']*'\]|\["[^"]*"\]/g, '');
  return /\*|\.\.|\[\?|:|,/.test(withoutQuoted);
}
