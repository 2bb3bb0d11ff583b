import type * as z from 'zod/mini';
import { type Flow, flowSchema, type State, stateSchema } from './definition.ts';
import { parseWith } from './parse-with.ts';

/** The definition is no States Language, or uses a part of it that the local runtime does not have. */
class DefinitionRefused extends Error {
  override readonly name = 'DefinitionRefused';
}

/**
 * Checks a whole definition, nested flows included, before anything runs.
 *
 * @param definition the object, or its JSON text
 * @param where opens every message: the machine's name
 * @throws DefinitionRefused naming the state and the field
 */
export function parseDefinition(definition: unknown, where: string): Flow {
  const flow = parse(flowSchema, typeof definition === 'string' ? JSON.parse(definition) : definition, where);
  const states = new Map<string, State>();
  for (const [name, state] of Object.entries(flow.States)) {
    states.set(name, parseState(state, `${where}, state "${name}"`));
  }
  const parsed: Flow = {
    startAt: flow.StartAt,
    states,
    timeoutSeconds: flow.TimeoutSeconds,
    mode: flow.ProcessorConfig?.Mode ?? 'INLINE',
    executionType: flow.ProcessorConfig?.ExecutionType ?? 'STANDARD',
  };
  checkTransitions(parsed, where);
  return parsed;
}

function parseState(definition: unknown, where: string): State {
  const state = parse(stateSchema, definition, where);
  if (state.Type === 'Parallel') {
    return { ...state, branches: state.Branches.map((branch, index) => parseDefinition(branch, `${where}[${index}]`)) };
  }
  if (state.Type === 'Map') return { ...state, processor: parseProcessor(state, where) };
  return state;
}

function parseProcessor(
  state: { readonly ItemProcessor?: unknown; readonly Iterator?: unknown; readonly ItemReader?: unknown },
  where: string,
): Flow {
  const processor = parseDefinition(state.ItemProcessor ?? state.Iterator, where);
  if (processor.mode === 'INLINE' && state.ItemReader !== undefined) {
    throw new DefinitionRefused(`${where}: only a DISTRIBUTED Map has an ItemReader. Set ProcessorConfig.Mode.`);
  }
  return processor;
}

function checkTransitions(flow: Flow, where: string): void {
  for (const [from, target] of transitions(flow)) {
    if (!flow.states.has(target)) {
      throw new DefinitionRefused(`${where}: ${from} leads to "${target}", which is no state here. Correct the name.`);
    }
  }
}

function* transitions(flow: Flow): Iterable<readonly [from: string, target: string]> {
  yield ['StartAt', flow.startAt];
  for (const [name, state] of flow.states) {
    if ('Next' in state && state.Next !== undefined) yield [`"${name}"`, state.Next];
    if ('Catch' in state) for (const catcher of state.Catch ?? []) yield [`a Catch of "${name}"`, catcher.Next];
    if (state.Type !== 'Choice') continue;
    if (state.Default !== undefined) yield [`the Default of "${name}"`, state.Default];
    for (const rule of state.Choices) yield [`a rule of "${name}"`, String(rule['Next'])];
  }
}

function parse<T extends z.ZodMiniType>(schema: T, value: unknown, where: string): z.output<T> {
  const advice = 'the local runtime cannot run this definition. Change it, or teach local/workflow/definition.ts.';
  return parseWith(schema, value, (problem) => new DefinitionRefused(`${where}: ${advice}\n${problem}`));
}
