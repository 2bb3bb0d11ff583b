import type { JsonValue } from '../workflow/json.ts';
import { type Assembly, AssemblyRefused } from './assembly-model.ts';
import { type AssemblyFiles, readCloudAssembly } from './cloud-assembly.ts';
import { identity, properties } from './found.ts';
import { functionModel } from './function-model.ts';
import { type Neighbors, Resolver } from './resolver.ts';
import { schedule } from './schedule-model.ts';
import { stateMachine } from './state-machine-model.ts';

/**
 * Reads a CDK cloud assembly (`cdk.out`) and resolves what the laptop runs. Nothing is asked of AWS.
 *
 * @throws AssemblyRefused
 */
export function readAssembly(directory: string): Assembly {
  const files = readCloudAssembly(directory);
  const resolvers = linkStacks(files);
  const found = [...resolvers].flatMap((resolver) =>
    Object.entries(resolver.stack.template.Resources ?? {}).map(([logicalId, resource]) => ({
      resolver,
      logicalId,
      resource,
    })),
  );
  const of = (type: string) => found.filter(({ resource }) => resource.Type === type);
  return {
    directory,
    stackNames: resolvers.map(({ stack }) => stack.name),
    stateMachines: of('AWS::StepFunctions::StateMachine').map(stateMachine),
    functions: of('AWS::Lambda::Function').map((item) => functionModel(item, found, files)),
    buckets: of('AWS::S3::Bucket').map(identity),
    schedules: of('AWS::Scheduler::Schedule').map(schedule),
    scheduleGroups: of('AWS::Scheduler::ScheduleGroup').map(identity),
    roles: of('AWS::IAM::Role').map(identity),
    queues: of('AWS::SQS::Queue').map(identity),
    topics: of('AWS::SNS::Topic').map(identity),
    outputs: outputsOf(resolvers),
    properties: (stackName, logicalId) => {
      const item = found.find((other) => other.resolver.stack.name === stackName && other.logicalId === logicalId);
      if (item === undefined) throw new AssemblyRefused(`There is no ${logicalId} in ${stackName}. Check the names.`);
      return properties(item);
    },
  };
}

function linkStacks(files: AssemblyFiles): Resolver[] {
  const output = (matches: (resolver: Resolver, name: string, exportName: JsonValue | undefined) => boolean) => {
    for (const resolver of resolvers) {
      for (const [name, { Value: value, Export: exported }] of Object.entries(resolver.stack.template.Outputs ?? {})) {
        const exportName = exported === undefined ? undefined : resolver.resolve(exported.Name);
        if (matches(resolver, name, exportName)) return resolver.resolve(value);
      }
    }
    return undefined;
  };
  const required = (value: JsonValue | undefined, what: string) => {
    if (value === undefined) throw new AssemblyRefused(`No stack of the assembly has ${what}. Synthesize all stacks.`);
    return value;
  };
  const neighbors: Neighbors = {
    importValue: (name) =>
      required(
        output((_resolver, _name, exportName) => exportName === name),
        `the export ${name}`,
      ),
    stackOutput: (stackName, outputName) =>
      required(
        output((resolver, name) => resolver.stack.name === stackName && name === outputName),
        `the output ${outputName} of ${stackName}`,
      ),
  };
  const resolvers = files.stacks.map((stack) => new Resolver(stack, neighbors));
  return resolvers;
}

function outputsOf(resolvers: readonly Resolver[]): Record<string, JsonValue> {
  const outputs: Record<string, JsonValue> = {};
  for (const resolver of resolvers) {
    for (const [name, { Value: value }] of Object.entries(resolver.stack.template.Outputs ?? {})) {
      outputs[`${resolver.stack.name}.${name}`] = resolver.resolve(value) ?? null;
    }
  }
  return outputs;
}
