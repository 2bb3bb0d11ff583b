import * as z from 'zod/mini';
import { isJsonObject, type JsonObject, type JsonValue } from '../workflow/json.ts';
import { ACCOUNT, AssemblyRefused, PARTITION, REGION } from './assembly-model.ts';
import type { StackSource, TemplateResource } from './cloud-assembly.ts';
import { type PhysicalResource, physicalResource } from './resource-kinds.ts';

const getAtt = z.union([z.tuple([z.string(), z.string()]), z.string()]);
const pair = z.tuple([z.string(), z.json()]);
const stackOutput = z.looseObject({ StackName: z.string(), OutputName: z.string() });

/** The stacks of an assembly to each other: what one exports, others import. */
export interface Neighbors {
  importValue(exportName: string): JsonValue;
  stackOutput(stackName: string, outputName: string): JsonValue;
}

/**
 * Resolves the intrinsic functions of one template to what they would be in account 000000000000, us-east-1.
 *
 * @throws AssemblyRefused naming the function or attribute it does not know
 */
export class Resolver {
  readonly stack: StackSource;
  readonly #neighbors: Neighbors;
  readonly #physical = new Map<string, PhysicalResource>();

  constructor(stack: StackSource, neighbors: Neighbors) {
    this.stack = stack;
    this.#neighbors = neighbors;
  }

  /** `undefined` stands for AWS::NoValue: the property is absent. */
  resolve(value: JsonValue): JsonValue | undefined {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item)).filter((item) => item !== undefined);
    if (!isJsonObject(value)) return value;
    const [key, argument] = onlyEntry(value);
    if (key !== undefined && argument !== undefined && (key === 'Ref' || key.startsWith('Fn::'))) {
      return this.#call(key, argument);
    }
    return this.resolveObject(value);
  }

  resolveObject(value: JsonObject): JsonObject {
    const resolved: JsonObject = {};
    for (const [key, property] of Object.entries(value)) {
      const result = this.resolve(property);
      if (result !== undefined) resolved[key] = result;
    }
    return resolved;
  }

  physical(logicalId: string): PhysicalResource {
    const known = this.#physical.get(logicalId);
    if (known !== undefined) return known;
    const resource = this.#resource(logicalId);
    const property = (key: string) => this.resolve(resource.Properties?.[key] ?? null) ?? null;
    const made =
      this.#qualified(resource, property) ?? physicalResource(resource.Type, this.#identity(logicalId), property);
    this.#physical.set(logicalId, made);
    return made;
  }

  #identity(logicalId: string) {
    return { stackName: this.stack.name, logicalId };
  }

  /** Versions and aliases: their ARN is the function's with a qualifier. */
  #qualified(resource: TemplateResource, property: (key: string) => JsonValue): PhysicalResource | undefined {
    if (resource.Type !== 'AWS::Lambda::Version' && resource.Type !== 'AWS::Lambda::Alias') return undefined;
    const functionName = String(property('FunctionName'));
    const functionArn = functionName.startsWith('arn:')
      ? functionName
      : `arn:${PARTITION}:lambda:${REGION}:${ACCOUNT}:function:${functionName}`;
    const qualifier = resource.Type === 'AWS::Lambda::Alias' ? String(property('Name')) : '1';
    const arn = `${functionArn}:${qualifier}`;
    const attributes = { AliasArn: arn, FunctionArn: arn, Version: qualifier };
    return { name: qualifier, arn, ref: arn, attributes };
  }

  #call(name: string, argument: JsonValue): JsonValue | undefined {
    switch (name) {
      case 'Ref':
        return this.#ref(String(argument));
      case 'Fn::GetAtt':
        return this.#getAtt(z.parse(getAtt, argument));
      case 'Fn::Join':
        return this.#join(argument);
      case 'Fn::Sub':
        return this.#sub(argument);
      case 'Fn::Select':
        return this.#select(argument);
      case 'Fn::Split': {
        const [delimiter, source] = z.parse(pair, argument);
        return String(this.resolve(source)).split(delimiter);
      }
      case 'Fn::ImportValue':
        return this.#neighbors.importValue(String(this.resolve(argument)));
      case 'Fn::GetStackOutput': {
        const { StackName: stackName, OutputName: outputName } = z.parse(stackOutput, this.resolve(argument));
        return this.#neighbors.stackOutput(stackName, outputName);
      }
      case 'Fn::GetAZs':
        return ['a', 'b', 'c'].map((zone) => `${REGION}${zone}`);
      case 'Fn::FindInMap':
        return this.#findInMap(argument);
      case 'Fn::If':
        return this.#if(argument);
      default:
        return this.#refuse(`${name} is not understood.`);
    }
  }

  #ref(name: string): JsonValue | undefined {
    switch (name) {
      case 'AWS::AccountId':
        return ACCOUNT;
      case 'AWS::Region':
        return REGION;
      case 'AWS::Partition':
        return PARTITION;
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return this.stack.name;
      case 'AWS::StackId':
        return `arn:${PARTITION}:cloudformation:${REGION}:${ACCOUNT}:stack/${this.stack.name}/local`;
      case 'AWS::NotificationARNs':
        return [];
      case 'AWS::NoValue':
        return undefined;
    }
    if (name.startsWith('AWS::')) this.#refuse(`The pseudo parameter ${name} is not understood.`);
    const parameter = this.stack.template.Parameters?.[name];
    if (parameter === undefined) return this.physical(name).ref;
    return parameter.Default ?? this.#refuse(`The parameter ${name} has no default.`);
  }

  #getAtt(argument: string | [string, string]): JsonValue {
    const [logicalId = '', ...rest] = typeof argument === 'string' ? argument.split('.') : argument;
    const attribute = rest.join('.');
    const value = this.physical(logicalId).attributes[attribute];
    const { Type: type } = this.#resource(logicalId);
    return value ?? this.#refuse(`Fn::GetAtt ${logicalId}.${attribute} (${type}) is not known.`);
  }

  #join(argument: JsonValue): string {
    const [delimiter, parts] = z.parse(pair, argument);
    const resolved = this.resolve(parts);
    return z.parse(z.array(z.union([z.string(), z.number(), z.boolean()])), resolved).join(delimiter);
  }

  #sub(argument: JsonValue): string {
    const [text, given] =
      typeof argument === 'string'
        ? [argument, {}]
        : z.parse(z.tuple([z.string(), z.record(z.string(), z.json())]), argument);
    const variables = this.resolveObject(given);
    return text.replaceAll(/\$\{(!?)([^}]+)\}/g, (_match, literal: string, name: string) => {
      if (literal === '!') return `\${${name}}`;
      const value = variables[name] ?? (name.includes('.') ? this.#getAtt(name) : this.#ref(name));
      return String(value ?? '');
    });
  }

  #select(argument: JsonValue): JsonValue {
    const [index, list] = z.parse(z.tuple([z.json(), z.json()]), argument);
    const items = z.parse(z.array(z.json()), this.resolve(list));
    return items[Number(this.resolve(index))] ?? this.#refuse(`Fn::Select ${String(index)} of ${items.length} items.`);
  }

  #findInMap(argument: JsonValue): JsonValue {
    const [map, first, second] = z.parse(z.array(z.string()), this.resolve(argument));
    const value = this.stack.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
    return value ?? this.#refuse(`Fn::FindInMap ${map}.${first}.${second} is not in the template.`);
  }

  #if(argument: JsonValue): JsonValue | undefined {
    const [condition, yes, no] = z.parse(z.tuple([z.string(), z.json(), z.json()]), argument);
    return this.resolve(this.#holds({ Condition: condition }) ? yes : no);
  }

  #holds(condition: JsonValue): boolean {
    const [key, argument] = isJsonObject(condition) ? onlyEntry(condition) : [];
    const all = Array.isArray(argument) ? argument : [];
    if (key === 'Condition') return this.#holds(this.stack.template.Conditions?.[String(argument)] ?? null);
    if (key === 'Fn::And') return all.every((item) => this.#holds(item));
    if (key === 'Fn::Or') return all.some((item) => this.#holds(item));
    if (key === 'Fn::Not') return !this.#holds(all[0] ?? null);
    if (key === 'Fn::Equals') return this.resolve(all[0] ?? null) === this.resolve(all[1] ?? null);
    return this.#refuse(`The condition ${JSON.stringify(condition)} is not understood.`);
  }

  #resource(logicalId: string): TemplateResource {
    return this.stack.template.Resources?.[logicalId] ?? this.#refuse(`There is no resource ${logicalId}.`);
  }

  #refuse(problem: string): never {
    throw new AssemblyRefused(`Stack ${this.stack.name}: ${problem} Teach local/assembly/ or change the stack.`);
  }
}

function onlyEntry(value: JsonObject): [key: string, argument: JsonValue] | [] {
  const entries = Object.entries(value);
  return entries.length === 1 && entries[0] !== undefined ? entries[0] : [];
}
