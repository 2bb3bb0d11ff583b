import type { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod/mini';
import { flat, resourcesOf } from './synthesized.ts';

interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  /** References in angle brackets. */
  readonly resources: readonly string[];
  readonly conditions: unknown;
}

const oneOrMany = z.union([z.array(z.unknown()), z.unknown()]);
const statementSchema = z.looseObject({
  Effect: z.string(),
  Action: oneOrMany,
  Resource: oneOrMany,
  Condition: z.optional(z.unknown()),
});
const policySchema = z.looseObject({
  PolicyDocument: z.looseObject({ Statement: z.array(statementSchema) }),
  Roles: z.array(z.looseObject({ Ref: z.string() })),
});

const known = new WeakMap<Template, ReadonlyMap<string, readonly Statement[]>>();

/** What each role may do, over all of its policies. Roles by their logical ids. */
export function permissionsOf(template: Template): ReadonlyMap<string, readonly Statement[]> {
  const found = known.get(template) ?? readPermissions(template);
  known.set(template, found);
  return found;
}

function readPermissions(template: Template): ReadonlyMap<string, readonly Statement[]> {
  const byRole = new Map<string, Statement[]>();
  for (const resource of Object.values(resourcesOf(template, 'AWS::IAM::Policy'))) {
    const policy = policySchema.parse(resource.Properties);
    for (const { Ref } of policy.Roles) {
      byRole.set(Ref, [...(byRole.get(Ref) ?? []), ...policy.PolicyDocument.Statement.map(statementOf)]);
    }
  }
  return byRole;
}

function statementOf(statement: z.infer<typeof statementSchema>): Statement {
  return {
    effect: statement.Effect,
    actions: listOf(statement.Action).map(flat),
    resources: listOf(statement.Resource).map(flat),
    conditions: statement.Condition,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Roles that may do one of the actions on a resource whose ARN matches. */
export function rolesThatMay(template: Template, action: RegExp, resource: RegExp): readonly string[] {
  const may = (statement: Statement) =>
    statement.effect === 'Allow' &&
    statement.actions.some((each) => action.test(each)) &&
    statement.resources.some((each) => resource.test(each));
  return [...permissionsOf(template)]
    .filter(([, statements]) => statements.some(may))
    .map(([role]) => role)
    .toSorted();
}

/** The role of copy-parts, of whatever site, as `CopyParts`; that of a machine as `Snapshot`. */
export function shortRole(logicalId: string): string {
  return logicalId
    .replace(/Role[0-9A-F]{8}$/, '')
    .replace(
      /^(Site(default|[0-9a-f]{8})|Planning|Recording|Releasing|Arming|Maintaining|Merging|Verifying)(?=[A-Z])/,
      '',
    );
}
