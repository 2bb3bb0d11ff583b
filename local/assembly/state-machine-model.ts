import * as z from 'zod/mini';
import { parseJson } from '../workflow/json.ts';
import type { StateMachineModel } from './assembly-model.ts';
import { type Found, identity, parse, refusal } from './found.ts';

const machineProperties = z.looseObject({
  DefinitionString: z.optional(z.string()),
  Definition: z.optional(z.json()),
  DefinitionSubstitutions: z.optional(z.record(z.string(), z.json())),
  StateMachineType: z._default(z.enum(['STANDARD', 'EXPRESS']), 'STANDARD'),
  RoleArn: z.string(),
});

export function stateMachine(found: Found): StateMachineModel {
  const parsed = parse(machineProperties, found);
  const source =
    parsed.DefinitionString ?? (parsed.Definition === undefined ? undefined : JSON.stringify(parsed.Definition));
  if (source === undefined) throw refusal(found, 'has its definition elsewhere; only an inline definition is read');
  const substitutions = parsed.DefinitionSubstitutions ?? {};
  const text = source.replaceAll(/\$\{([^}]+)\}/g, (match, name: string) => String(substitutions[name] ?? match));
  return { ...identity(found), definition: parseJson(text), type: parsed.StateMachineType, roleArn: parsed.RoleArn };
}
