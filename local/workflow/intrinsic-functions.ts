import { createHash, randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { isJsonObject, type JsonValue, parseJson } from './json.ts';
import { intrinsicFailure, StateFailure } from './state-failure.ts';

type Intrinsic = (args: readonly JsonValue[]) => JsonValue;

/** Step Functions' limit on the result of ArrayRange. */
const RANGE_MAX_ITEMS = 1000;

const list = z.array(z.json());
const integer = z.int();
const algorithm = z.enum(['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']);

const INTRINSICS: Readonly<Record<string, Intrinsic>> = {
  'States.Format': ([template, ...values]) => format(z.parse(z.string(), template), values),
  'States.StringToJson': (args) => parseJson(one(z.string(), args)),
  'States.JsonToString': (args) => JSON.stringify(one(z.json(), args)),
  'States.Array': (args) => [...args],
  'States.ArrayPartition': (args) => {
    const [items, size] = z.parse(z.tuple([list, z.int().check(z.positive())]), args);
    return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
  },
  'States.ArrayContains': (args) => {
    const [items, wanted] = z.parse(z.tuple([list, z.json()]), args);
    return items.some((item) => sameJson(item, wanted));
  },
  'States.ArrayRange': (args) => range(z.parse(z.tuple([integer, integer, integer]), args)),
  'States.ArrayGetItem': (args) => {
    const [items, index] = z.parse(z.tuple([list, integer]), args);
    const item = items[index];
    if (item === undefined) throw intrinsicFailure(`States.ArrayGetItem: no item ${index} in ${items.length} items.`);
    return item;
  },
  'States.ArrayLength': (args) => one(list, args).length,
  'States.ArrayUnique': (args) => {
    const items = one(list, args);
    return items.filter((item, index) => items.findIndex((other) => sameJson(item, other)) === index);
  },
  'States.Base64Encode': (args) => Buffer.from(one(z.string(), args)).toString('base64'),
  'States.Base64Decode': (args) => Buffer.from(one(z.string(), args), 'base64').toString(),
  'States.Hash': (args) => {
    const [data, name] = z.parse(z.tuple([z.json(), algorithm]), args);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    return createHash(name.replace('-', '').toLowerCase()).update(text).digest('hex');
  },
  'States.JsonMerge': (args) => {
    const object = z.record(z.string(), z.json());
    const [first, second] = z.parse(z.tuple([object, object, z.literal(false)]), args);
    return { ...first, ...second };
  },
  'States.MathRandom': (args) => {
    const [from, to] = z.parse(z.tuple([integer, integer], z.json()), args);
    return from + Math.floor(Math.random() * (to - from));
  },
  'States.MathAdd': (args) => {
    const [first, second] = z.parse(z.tuple([z.number(), z.number()]), args);
    return first + second;
  },
  'States.StringSplit': (args) => {
    const [text, separators] = z.parse(z.tuple([z.string(), z.string()]), args);
    return splitByAny(text, separators);
  },
  'States.UUID': () => randomUUID(),
};

/** @throws StateFailure `States.IntrinsicFailure` */
export function callIntrinsic(name: string, args: readonly JsonValue[]): JsonValue {
  const intrinsic = INTRINSICS[name];
  if (intrinsic === undefined) throw intrinsicFailure(`There is no intrinsic function ${name}.`);
  try {
    return intrinsic(args);
  } catch (error) {
    if (error instanceof StateFailure) throw error;
    throw intrinsicFailure(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function one<T extends z.ZodMiniType>(schema: T, args: readonly JsonValue[]): z.output<T> {
  if (args.length !== 1) throw intrinsicFailure(`One argument is expected, ${args.length} were given.`);
  return z.parse(schema, args[0]);
}

function format(template: string, values: readonly JsonValue[]): string {
  const rest = [...values];
  const text = template.replaceAll(/\\.|\{\}/gs, (match) => {
    if (match !== '{}') return match.slice(1);
    const value = rest.shift();
    if (value === undefined || Array.isArray(value) || isJsonObject(value)) {
      throw intrinsicFailure('States.Format takes one string, number, boolean or null for every {}.');
    }
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
  if (rest.length > 0)
    throw intrinsicFailure(`States.Format has ${rest.length} arguments more than {} in: ${template}`);
  return text;
}

function range([first, last, increment]: readonly [number, number, number]): number[] {
  if (increment === 0) throw intrinsicFailure('States.ArrayRange: the increment is 0.');
  const length = Math.max(0, Math.floor((last - first) / increment) + 1);
  if (length > RANGE_MAX_ITEMS) throw intrinsicFailure(`States.ArrayRange: ${length} items, 1000 is the most.`);
  return Array.from({ length }, (_, index) => first + index * increment);
}

/** Every character of `separators` separates (Step Functions developer guide). */
function splitByAny(text: string, separators: string): string[] {
  const parts = [''];
  for (const character of text) {
    if (separators.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part !== '');
}

export function sameJson(first: JsonValue, second: JsonValue): boolean {
  if (Array.isArray(first)) {
    if (!Array.isArray(second) || first.length !== second.length) return false;
    return first.every((item, index) => sameJson(item, second[index] ?? null));
  }
  if (isJsonObject(first)) {
    if (!isJsonObject(second)) return false;
    const keys = Object.keys(first);
    if (keys.length !== Object.keys(second).length) return false;
    return keys.every((key) => Object.hasOwn(second, key) && sameJson(first[key] ?? null, second[key] ?? null));
  }
  return first === second;
}
