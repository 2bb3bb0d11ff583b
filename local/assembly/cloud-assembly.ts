import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { parseWith } from '../workflow/parse-with.ts';
import { AssemblyRefused } from './assembly-model.ts';

const json = z.json();
const resource = z.looseObject({
  Type: z.string(),
  Properties: z.optional(z.record(z.string(), json)),
  Metadata: z.optional(z.record(z.string(), z.unknown())),
});
const template = z.looseObject({
  Resources: z.optional(z.record(z.string(), resource)),
  Outputs: z.optional(
    z.record(z.string(), z.looseObject({ Value: json, Export: z.optional(z.looseObject({ Name: json })) })),
  ),
  Parameters: z.optional(z.record(z.string(), z.looseObject({ Default: z.optional(json) }))),
  Mappings: z.optional(z.record(z.string(), z.record(z.string(), z.record(z.string(), json)))),
  Conditions: z.optional(z.record(z.string(), json)),
});
const manifest = z.looseObject({
  artifacts: z.optional(
    z.record(
      z.string(),
      z.looseObject({
        type: z.string(),
        displayName: z.optional(z.string()),
        properties: z.optional(z.record(z.string(), z.unknown())),
        metadata: z.optional(z.record(z.string(), z.array(z.unknown()))),
        additionalMetadataFile: z.optional(z.string()),
      }),
    ),
  ),
});
const stackProperties = z.looseObject({ templateFile: z.string(), stackName: z.optional(z.string()) });
const assetManifest = z.looseObject({
  files: z.optional(
    z.record(
      z.string(),
      z.looseObject({
        source: z.looseObject({ path: z.optional(z.string()) }),
        destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
      }),
    ),
  ),
});
const metadata = z.record(z.string(), z.array(z.looseObject({ type: z.string(), data: z.optional(z.unknown()) })));

export type Template = z.infer<typeof template>;
export type TemplateResource = z.infer<typeof resource>;
type Artifact = NonNullable<z.infer<typeof manifest>['artifacts']>[string];

export interface StackSource {
  readonly name: string;
  readonly template: Template;
  /** By logical id, without the slash at the front. */
  readonly constructPaths: ReadonlyMap<string, string>;
}

export interface AssemblyFiles {
  readonly stacks: readonly StackSource[];
  /** Directory or file of each asset, by the S3 key that templates use. */
  readonly assets: ReadonlyMap<string, string>;
}

/**
 * Reads `manifest.json`, the templates and the asset manifests, nested assemblies (stages) included.
 *
 * @throws AssemblyRefused when the directory is no cloud assembly
 */
export function readCloudAssembly(directory: string): AssemblyFiles {
  const stacks: StackSource[] = [];
  const assets = new Map<string, string>();
  const { artifacts = {} } = readJson(manifest, join(directory, 'manifest.json'));
  for (const [id, artifact] of Object.entries(artifacts)) {
    const properties = artifact.properties ?? {};
    if (artifact.type === 'aws:cloudformation:stack') stacks.push(readStack(directory, id, artifact));
    if (artifact.type === 'cdk:asset-manifest') collectAssets(directory, String(properties['file']), assets);
    if (artifact.type === 'cdk:cloud-assembly') {
      const nested = readCloudAssembly(join(directory, String(properties['directoryName'])));
      stacks.push(...nested.stacks);
      for (const [key, path] of nested.assets) assets.set(key, path);
    }
  }
  return { stacks, assets };
}

function readStack(directory: string, artifactId: string, artifact: Artifact): StackSource {
  const { templateFile, stackName } = z.parse(stackProperties, artifact.properties);
  const name = stackName ?? artifactId;
  const constructPaths = new Map<string, string>();
  const entries = [artifact.metadata ?? {}];
  if (artifact.additionalMetadataFile !== undefined) {
    entries.push(readJson(metadata, join(directory, artifact.additionalMetadataFile)));
  }
  for (const entry of entries) {
    for (const [path, items] of Object.entries(z.parse(metadata, entry))) {
      for (const { type, data } of items) {
        if (type === 'aws:cdk:logicalId' && typeof data === 'string') constructPaths.set(data, path.replace(/^\//, ''));
      }
    }
  }
  return { name, template: readJson(template, join(directory, templateFile)), constructPaths };
}

function collectAssets(directory: string, file: string, assets: Map<string, string>): void {
  const { files = {} } = readJson(assetManifest, join(directory, file));
  for (const { source, destinations } of Object.values(files)) {
    if (source.path === undefined) continue;
    for (const { objectKey } of Object.values(destinations)) assets.set(objectKey, join(directory, source.path));
  }
}

function readJson<T extends z.ZodMiniType>(schema: T, file: string): z.output<T> {
  if (!existsSync(file)) throw new AssemblyRefused(`${file} does not exist. Run "npm run synth" first.`);
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  return parseWith(
    schema,
    content,
    (problem) => new AssemblyRefused(`${file} is not what CDK writes. Synthesize again.\n${problem}`),
  );
}
