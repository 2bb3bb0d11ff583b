import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { Assembly } from '../../local/assembly/assembly-model.ts';
import type { RequestFacts } from '../../local/s3/control/faults.ts';

const oneOrMany = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((value) => [value].flat()),
);
const policySchema = z.looseObject({
  PolicyDocument: z.looseObject({
    Statement: z.array(z.looseObject({ Effect: z.enum(['Allow', 'Deny']), Action: oneOrMany, Resource: oneOrMany })),
  }),
  Roles: z.array(z.string()),
});
type Statement = z.infer<typeof policySchema>['PolicyDocument']['Statement'][number];
const templateSchema = z.looseObject({ Resources: z.record(z.string(), z.looseObject({ Type: z.string() })) });

/** What a request needs one of, on the object or, where it is about the whole bucket, on that (S3 user guide, required permissions). */
const NEEDED: Readonly<
  Record<string, { readonly on: 'object' | 'bucket' | 'any object'; readonly oneOf: readonly string[] }>
> = {
  ListObjectsV2: { on: 'bucket', oneOf: ['s3:ListBucket'] },
  ListObjectVersions: { on: 'bucket', oneOf: ['s3:ListBucketVersions'] },
  ListMultipartUploads: { on: 'bucket', oneOf: ['s3:ListBucketMultipartUploads'] },
  GetObject: { on: 'object', oneOf: ['s3:GetObject', 's3:GetObjectVersion'] },
  HeadObject: { on: 'object', oneOf: ['s3:GetObject', 's3:GetObjectVersion'] },
  PutObject: { on: 'object', oneOf: ['s3:PutObject'] },
  CopyObject: { on: 'object', oneOf: ['s3:PutObject'] },
  CreateMultipartUpload: { on: 'object', oneOf: ['s3:PutObject'] },
  UploadPart: { on: 'object', oneOf: ['s3:PutObject'] },
  UploadPartCopy: { on: 'object', oneOf: ['s3:PutObject'] },
  CompleteMultipartUpload: { on: 'object', oneOf: ['s3:PutObject'] },
  AbortMultipartUpload: { on: 'object', oneOf: ['s3:AbortMultipartUpload'] },
  ListParts: { on: 'object', oneOf: ['s3:ListMultipartUploadParts'] },
  DeleteObject: { on: 'object', oneOf: ['s3:DeleteObject'] },
  // Its keys are in its body, and whether it names versions.
  DeleteObjects: { on: 'any object', oneOf: ['s3:DeleteObject', 's3:DeleteObjectVersion'] },
};

/** Judges requests by the synthesized policies of the function that sends them, as IAM would. */
export class IamJudge {
  readonly #roleOf: ReadonlyMap<string, string>;
  readonly #statements: ReadonlyMap<string, readonly Statement[]>;

  constructor(assembly: Assembly) {
    this.#roleOf = new Map(
      assembly.functions.map(({ name, roleArn }) => [name, roleArn.slice(roleArn.lastIndexOf('/') + 1)]),
    );
    this.#statements = readStatements(assembly);
  }

  /** @returns what is missing, undefined when the request is granted or its sender is no function */
  missingFor({ caller, operation, bucket, key }: RequestFacts): string | undefined {
    const role = this.#roleOf.get(caller);
    if (role === undefined) {
      return undefined;
    }
    const needed = NEEDED[operation];
    const resource = needed?.on === 'object' ? `arn:aws:s3:::${bucket}/${key}` : `arn:aws:s3:::${bucket}`;
    const granted = needed?.oneOf.some((action) =>
      needed.on === 'any object' ? this.#mayIn(role, action, `${resource}/`) : this.may(role, action, resource),
    );
    return granted === true ? undefined : `${caller} may not ${operation} ${resource}`;
  }

  may(role: string, action: string, resource: string): boolean {
    const matching = (this.#statements.get(role) ?? []).filter(
      ({ Action, Resource }) => Action.includes(action) && Resource.some((pattern) => matches(pattern, resource)),
    );
    return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
  }

  /** @param caller name of a function @returns true when the caller is no function */
  mayDescribe(caller: string, executionArn: string): boolean {
    const role = this.#roleOf.get(caller);
    return role === undefined || this.may(role, 'states:DescribeExecution', executionArn);
  }

  #mayIn(role: string, action: string, prefix: string): boolean {
    return (this.#statements.get(role) ?? []).some(
      ({ Effect, Action, Resource }) =>
        Effect === 'Allow' && Action.includes(action) && Resource.some((pattern) => pattern.startsWith(prefix)),
    );
  }
}

function readStatements(assembly: Assembly): ReadonlyMap<string, readonly Statement[]> {
  const byRole = new Map<string, Statement[]>();
  for (const stack of assembly.stackNames) {
    const text = readFileSync(join(assembly.directory, `${stack}.template.json`), 'utf8');
    for (const [logicalId, { Type }] of Object.entries(templateSchema.parse(JSON.parse(text)).Resources)) {
      if (Type === 'AWS::IAM::Policy') {
        const { PolicyDocument, Roles } = policySchema.parse(assembly.properties(stack, logicalId));
        for (const role of Roles) {
          byRole.set(role, [...(byRole.get(role) ?? []), ...PolicyDocument.Statement]);
        }
      }
    }
  }
  return byRole;
}

/** As IAM matches a resource: `*` is any text. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}
