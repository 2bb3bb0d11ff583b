import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import * as z from 'zod/mini';
import type { ChoiceState } from './definition.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { asDocument, type PathScope, restorePaths, rewritePath } from './json-path.ts';
import { runPackageMachine } from './package-machine.ts';
import { runtimeFailure, StateFailure } from './state-failure.ts';

/** Comparisons of the wrong type are false on AWS; the package coerces. */
const TYPE_TESTS = [
  ['String', 'IsString'],
  ['Numeric', 'IsNumeric'],
  ['Boolean', 'IsBoolean'],
  ['Timestamp', 'IsTimestamp'],
] as const;

/**
 * The package decides the Choice; its rules are given to it with paths into one document and with two corrections:
 * `IsPresent: false` and its kin (it never matches them) become a Not, comparisons are guarded by their type test.
 *
 * @returns the name of the next state
 * @throws StateFailure `States.NoChoiceMatched`, or `States.Runtime` for a path that points at nothing
 */
export async function chooseNext(state: ChoiceState, scope: PathScope): Promise<string> {
  const targets = [...state.Choices.map((rule) => z.parse(z.string(), rule['Next'])), state.Default];
  const exits = targets.map((target, index) => [`exit-${index}`, { Type: 'Pass', Result: target, End: true }]);
  const choices = state.Choices.map((rule, index) => ({ ...correctRule(rule), Next: `exit-${index}` }));
  const definition = {
    StartAt: 'choose',
    States: {
      choose: {
        Type: 'Choice',
        Choices: choices,
        ...(state.Default === undefined ? {} : { Default: `exit-${state.Choices.length}` }),
      },
      ...Object.fromEntries(exits),
    },
  } satisfies ChoiceMachine;
  try {
    return z.parse(z.string(), await runPackageMachine(asPackageDefinition(definition), asDocument(scope)));
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    throw new StateFailure(error.errorName, restorePaths(error.causeText ?? ''));
  }
}

interface ChoiceMachine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, unknown>>;
}

/** The rules come from outside as JSON; the package's types know only literal ones, so they are handed over unparsed. */
function asPackageDefinition(definition: ChoiceMachine): StateMachineDefinition {
  return z.parse(z.custom<StateMachineDefinition>(), definition);
}

function correctRule(rule: JsonObject): JsonObject {
  for (const connective of ['And', 'Or'] as const) {
    const rules = rule[connective];
    if (Array.isArray(rules)) return { [connective]: rules.map(correctNested) };
  }
  if (rule['Not'] !== undefined) return { Not: correctNested(rule['Not']) };
  return correctComparison(rule);
}

function correctNested(rule: JsonValue): JsonObject {
  if (!isJsonObject(rule)) throw runtimeFailure('A Choice rule is not an object.');
  return correctRule(rule);
}

function correctComparison(rule: JsonObject): JsonObject {
  const { Variable: variable, Next: _next, Comment: _comment, ...comparison } = rule;
  const [operator, ...others] = Object.keys(comparison);
  const operand = operator === undefined ? undefined : comparison[operator];
  if (typeof variable !== 'string' || operator === undefined || operand === undefined || others.length > 0) {
    throw runtimeFailure('A Choice rule has one Variable and one comparison.');
  }
  const path = rewritePath(variable);
  if (operator.startsWith('Is')) {
    const test: JsonObject = { Variable: path, [operator]: true };
    return operand === false ? { Not: test } : test;
  }
  const isPath = operator.endsWith('Path') && typeof operand === 'string';
  const compare: JsonObject = { Variable: path, [operator]: isPath ? rewritePath(operand) : operand };
  const typeTest = TYPE_TESTS.find(([prefix]) => operator.startsWith(prefix));
  if (typeTest === undefined) throw runtimeFailure(`There is no comparison ${operator}.`);
  return { And: [{ Variable: path, [typeTest[1]]: true }, compare] };
}
