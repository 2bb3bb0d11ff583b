import { isJsonObject, type JsonValue } from './json.ts';
import { type PathScope, rewritePath, selectPath } from './json-path.ts';
import { runPackageMachine } from './package-machine.ts';
import { fillTemplate } from './payload-template.ts';
import { StateFailure } from './state-failure.ts';

type NullablePath = string | null | undefined;

/** What InputPath lets through: everything by default, `{}` for null. */
export async function applyInputPath(path: NullablePath, scope: PathScope): Promise<JsonValue> {
  if (path === undefined || path === '$') return scope.state;
  return path === null ? {} : await selectPath(path, scope);
}

export async function applyTemplate(template: JsonValue | undefined, scope: PathScope): Promise<JsonValue> {
  return template === undefined ? scope.state : await fillTemplate(template, scope);
}

/**
 * Puts a result into the state's raw input.
 *
 * @throws StateFailure `States.ResultPathMatchFailure` when the input is no object to put it into
 */
export async function applyResultPath(path: NullablePath, rawInput: JsonValue, result: JsonValue): Promise<JsonValue> {
  if (path === undefined || path === '$') return result;
  if (path === null) return rawInput;
  if (!isJsonObject(rawInput)) {
    throw new StateFailure('States.ResultPathMatchFailure', `Unable to apply ResultPath ${path} to the state's input.`);
  }
  const merge = {
    Type: 'Pass',
    InputPath: '$.result',
    ResultPath: rewritePath(path),
    OutputPath: '$.state',
    End: true,
  } as const;
  return await runPackageMachine({ StartAt: 'merge', States: { merge } }, { state: rawInput, result });
}
