import { callIntrinsic } from './intrinsic-functions.ts';
import { type Expression, parseExpression } from './intrinsic-syntax.ts';
import { isJsonObject, type JsonValue } from './json.ts';
import { type PathScope, selectPaths } from './json-path.ts';
import { runtimeFailure } from './state-failure.ts';

type Resolve = (expression: Expression) => JsonValue;

/**
 * A payload template (Parameters, ResultSelector, ItemSelector) with every `name.$` replaced by what its path or
 * intrinsic function gives.
 *
 * @throws StateFailure `States.Runtime` or `States.IntrinsicFailure`
 */
export async function fillTemplate(template: JsonValue, scope: PathScope): Promise<JsonValue> {
  const expressions = new Map<string, Expression>();
  for (const source of sourcesOf(template)) expressions.set(source, parseExpression(source));
  const resolve = await resolverFor(expressions.values(), scope);
  return fill(template, (source) => resolve(expressions.get(source) ?? parseExpression(source)));
}

/** One path or intrinsic function, as in `ErrorPath` or a template's value. */
export async function evaluateExpression(source: string, scope: PathScope): Promise<JsonValue> {
  const expression = parseExpression(source);
  return (await resolverFor([expression], scope))(expression);
}

async function resolverFor(expressions: Iterable<Expression>, scope: PathScope): Promise<Resolve> {
  const values = await selectPaths(pathsOf(expressions), scope);
  const resolve: Resolve = (expression) => {
    switch (expression.kind) {
      case 'path': {
        const value = values.get(expression.path);
        if (value === undefined) throw runtimeFailure(`The path '${expression.path}' does not point to a value.`);
        return value;
      }
      case 'literal':
        return expression.value;
      case 'string':
        return withoutBackslashes(expression.text);
      case 'call':
        return callIntrinsic(expression.name, resolveArguments(expression, resolve));
    }
  };
  return resolve;
}

/** States.Format alone gives its template's backslashes a meaning of their own: `\{}` is no placeholder. */
function resolveArguments(call: Expression & { readonly kind: 'call' }, resolve: Resolve): JsonValue[] {
  return call.args.map((arg, index) =>
    call.name === 'States.Format' && index === 0 && arg.kind === 'string' ? arg.text : resolve(arg),
  );
}

function withoutBackslashes(text: string): string {
  return text.replaceAll(/\\(.)/gs, '$1');
}

function* pathsOf(expressions: Iterable<Expression>): Iterable<string> {
  for (const expression of expressions) {
    if (expression.kind === 'path') yield expression.path;
    if (expression.kind === 'call') yield* pathsOf(expression.args);
  }
}

function* sourcesOf(template: JsonValue): Iterable<string> {
  if (Array.isArray(template)) for (const item of template) yield* sourcesOf(item);
  if (!isJsonObject(template)) return;
  for (const [key, value] of Object.entries(template)) {
    if (!key.endsWith('.$')) yield* sourcesOf(value);
    else if (typeof value === 'string') yield value;
    else throw runtimeFailure(`The value of '${key}' must be a path or an intrinsic function.`);
  }
}

function fill(template: JsonValue, evaluate: (source: string) => JsonValue): JsonValue {
  if (Array.isArray(template)) return template.map((item) => fill(item, evaluate));
  if (!isJsonObject(template)) return template;
  const entries = Object.entries(template).map(([key, value]): [string, JsonValue] =>
    key.endsWith('.$') && typeof value === 'string'
      ? [key.slice(0, -2), evaluate(value)]
      : [key, fill(value, evaluate)],
  );
  return Object.fromEntries(entries);
}
