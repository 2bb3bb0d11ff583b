import * as z from 'zod/mini';
import type { FunctionCode, FunctionModel } from './assembly-model.ts';
import type { AssemblyFiles } from './cloud-assembly.ts';
import { type Found, identity, parse, refusal } from './found.ts';

const functionProperties = z.looseObject({
  Code: z.looseObject({ S3Key: z.optional(z.string()), ZipFile: z.optional(z.string()) }),
  Handler: z._default(z.string(), 'index.handler'),
  Runtime: z._default(z.string(), ''),
  Environment: z.optional(z.looseObject({ Variables: z.optional(z.record(z.string(), z.string())) })),
  /** 3 s and 128 MB: Lambda's own defaults. */
  Timeout: z._default(z.number(), 3),
  MemorySize: z._default(z.number(), 128),
  Role: z.string(),
  VpcConfig: z.optional(z.json()),
});

export function functionModel(found: Found, all: readonly Found[], files: AssemblyFiles): FunctionModel {
  const parsed = parse(functionProperties, found);
  const self = identity(found);
  const qualified = all.filter(
    ({ resolver, resource, logicalId }) =>
      ['AWS::Lambda::Version', 'AWS::Lambda::Alias'].includes(resource.Type) &&
      resolver.physical(logicalId).arn.startsWith(`${self.arn}:`),
  );
  return {
    ...self,
    qualifiedArns: qualified.map(({ resolver, logicalId }) => resolver.physical(logicalId).arn),
    code: codeOf(parsed.Code, found, files),
    handler: parsed.Handler,
    runtime: parsed.Runtime,
    environment: parsed.Environment?.Variables ?? {},
    timeoutSeconds: parsed.Timeout,
    memoryMegabytes: parsed.MemorySize,
    roleArn: parsed.Role,
    isInVpc: parsed.VpcConfig !== undefined,
  };
}

function codeOf(
  code: { readonly S3Key?: string | undefined; readonly ZipFile?: string | undefined },
  found: Found,
  files: AssemblyFiles,
): FunctionCode {
  if (code.ZipFile !== undefined) return { kind: 'inline', source: code.ZipFile };
  const directory = code.S3Key === undefined ? undefined : files.assets.get(code.S3Key);
  if (directory === undefined) throw refusal(found, 'has code that is no asset of this assembly');
  return { kind: 'asset', directory };
}
