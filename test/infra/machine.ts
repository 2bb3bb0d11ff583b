import type { Template } from 'aws-cdk-lib/assertions';
import { allStates, type Definition, definitionOf, type NamedState, pathsFrom, type States } from './definition.ts';

/** A synthesized state machine as the tests look at it. */
export interface Machine {
  readonly definition: Definition;
  /** Every state, those inside of Parallels and Maps included. */
  readonly states: readonly NamedState[];
  readonly ofType: (type: string) => readonly NamedState[];
  readonly state: (name: string) => NamedState;
  /** The states of the run itself, inside of the Parallel of this title. */
  readonly body: (title: string) => States;
}

export function machineOf(template: Template, machine: string): Machine {
  const definition = definitionOf(template, machine);
  const states = allStates(definition);
  const state = (name: string) => {
    const found = states.find((candidate) => candidate.name === name);
    if (found === undefined) {
      throw new Error(`${machine} has no state '${name}'`);
    }
    return found;
  };
  return {
    definition,
    states,
    state,
    ofType: (type) => states.filter((candidate) => candidate.state.Type === type),
    body: (title) => state(title).state.Branches?.[0] ?? { StartAt: '', States: {} },
  };
}

/** Tasks and Maps of the longest way through the states. */
export function longestWork(level: States): readonly string[] {
  const longest = pathsFrom(level, level.StartAt).toSorted((left, right) => right.length - left.length)[0] ?? [];
  return longest.filter((name) => ['Task', 'Map'].includes(level.States[name]?.Type ?? ''));
}
