import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod/mini';
import { flat, resourcesOf } from './synthesized.ts';

/** A state machine's definition as the tests look at it. */

export interface State {
  readonly Type: string;
  readonly Next?: string | undefined;
  readonly End?: boolean | undefined;
  readonly Default?: string | undefined;
  readonly Choices?: readonly { readonly Next: string }[] | undefined;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[] | undefined;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[] | undefined;
  readonly Branches?: readonly States[] | undefined;
  readonly ItemProcessor?: States | undefined;
  readonly [field: string]: unknown;
}

export interface States {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Definition extends States {
  readonly TimeoutSeconds: number;
}

const stateSchema: z.ZodMiniType<State> = z.looseObject({
  Type: z.string(),
  Next: z.optional(z.string()),
  End: z.optional(z.boolean()),
  Default: z.optional(z.string()),
  Choices: z.optional(z.array(z.looseObject({ Next: z.string() }))),
  Catch: z.optional(z.array(z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string() }))),
  Retry: z.optional(z.array(z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.int() }))),
  Branches: z.optional(z.array(z.lazy(() => statesSchema))),
  ItemProcessor: z.optional(z.lazy(() => statesSchema)),
});
const statesSchema: z.ZodMiniType<States> = z.looseObject({
  StartAt: z.string(),
  States: z.record(z.string(), stateSchema),
});
const definitionSchema = z.looseObject({
  StartAt: z.string(),
  States: z.record(z.string(), stateSchema),
  TimeoutSeconds: z.int(),
});

/** The definition's text, references to resources in angle brackets. */
export function definitionText(template: Template, machine: string): string {
  const found = Object.entries(resourcesOf(template, 'AWS::StepFunctions::StateMachine')).find(([id]) =>
    id.startsWith(machine),
  );
  return flat(found?.[1].Properties['DefinitionString']);
}

export function definitionOf(template: Template, machine: string): Definition {
  return definitionSchema.parse(JSON.parse(definitionText(template, machine)));
}

export interface NamedState {
  readonly name: string;
  readonly state: State;
  /** The states beside this one. */
  readonly level: States;
}

/** Every state, those inside of Parallels and Maps included. */
export function allStates(level: States): readonly NamedState[] {
  return Object.entries(level.States).flatMap(([name, state]) => [
    { name, state, level },
    ...[...(state.Branches ?? []), ...(state.ItemProcessor === undefined ? [] : [state.ItemProcessor])].flatMap(
      allStates,
    ),
  ]);
}

/** Where a state may lead, on its own level, without failures. */
function successorsOf(state: State): readonly string[] {
  const next = [state.Next, state.Default, ...(state.Choices ?? []).map((choice) => choice.Next)];
  return next.filter((name) => name !== undefined);
}

/** All ways from a state to an end of its level, each state once a way. */
export function pathsFrom(level: States, name: string, seen: readonly string[] = []): readonly (readonly string[])[] {
  const state = level.States[name];
  if (state === undefined || seen.includes(name)) {
    return [];
  }
  const path = [...seen, name];
  const next = successorsOf(state);
  return next.length === 0 ? [path] : next.flatMap((successor) => pathsFrom(level, successor, path));
}

export function reachable(level: States): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [level.StartAt];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = level.States[name];
    if (state !== undefined && !seen.has(name)) {
      seen.add(name);
      open.push(...successorsOf(state), ...(state.Catch ?? []).map((caught) => caught.Next));
    }
  }
  return seen;
}
