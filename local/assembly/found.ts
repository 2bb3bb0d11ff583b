import type * as z from 'zod/mini';
import type { JsonObject } from '../workflow/json.ts';
import { parseWith } from '../workflow/parse-with.ts';
import { AssemblyRefused, type ResourceIdentity } from './assembly-model.ts';
import type { TemplateResource } from './cloud-assembly.ts';
import type { Resolver } from './resolver.ts';

/** One resource of one stack. */
export interface Found {
  readonly resolver: Resolver;
  readonly logicalId: string;
  readonly resource: TemplateResource;
}

export function identity({ resolver, logicalId, resource }: Found): ResourceIdentity {
  const { name, arn } = resolver.physical(logicalId);
  const { stack } = resolver;
  const path = resource.Metadata?.['aws:cdk:path'] ?? stack.constructPaths.get(logicalId);
  const constructPath = typeof path === 'string' ? path : `${stack.name}/${logicalId}`;
  return { stackName: stack.name, logicalId, constructPath, name, arn };
}

export function properties({ resolver, resource }: Found): JsonObject {
  return resolver.resolveObject(resource.Properties ?? {});
}

/** @throws AssemblyRefused naming the construct */
export function parse<T extends z.ZodMiniType>(schema: T, found: Found): z.output<T> {
  return parseWith(schema, properties(found), (problem) => refusal(found, `has properties not understood: ${problem}`));
}

export function refusal(found: Found, problem: string): AssemblyRefused {
  const { constructPath } = identity(found);
  return new AssemblyRefused(`${constructPath} ${problem}. Teach local/assembly/ or change the construct.`);
}
