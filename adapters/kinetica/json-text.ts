import * as z from 'zod/mini';

const sourceContext = z.looseObject({ source: z.string() });

/**
 * `JSON.parse` that loses no integer: one outside the exact range of a double becomes a bigint, read from its source text
 * (the third argument of a reviver, in Node since version 21). Kinetica's `long` is 64 bits wide.
 * @throws SyntaxError
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, ...rest: unknown[]) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const context = sourceContext.safeParse(rest[0]);
    return context.success && /^-?\d+$/.test(context.data.source) ? BigInt(context.data.source) : value;
  });
}

/** As `parseJson`; undefined when the text is not JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** JSON packed into a string, possibly more than once, as Kinetica does inside maps; anything else is returned as it is. */
export function unpackJson(value: unknown): unknown {
  let unpacked = value;
  while (typeof unpacked === 'string' && /^\s*["[{]/.test(unpacked)) {
    const inner = tryParseJson(unpacked);
    if (inner === undefined) return unpacked;
    unpacked = inner;
  }
  return unpacked;
}

const decimal = z.string().check(z.regex(/^\s*-?\d{1,20}\s*$/));
const exactNumber = z.number().check(z.refine((value) => Number.isSafeInteger(value), 'not an exact integer'));

/** A 64-bit integer that arrives as a JSON number or as digits in a string (maps are string to string). */
export const wideInteger = z.pipe(
  z.union([exactNumber, z.bigint(), decimal]),
  z.transform((value: number | bigint | string) => BigInt(typeof value === 'string' ? value.trim() : value)),
);

/** A count or an index: the same spellings, not negative, at most 2^31 - 1. */
export const smallInteger = z.pipe(
  z.pipe(
    wideInteger,
    z.bigint().check(z.refine((value: bigint) => value >= 0n && value < 2n ** 31n, 'not a 31-bit count')),
  ),
  z.transform((value: bigint) => Number(value)),
);

/** A boolean as a real one, or as a word in either case (property maps have TRUE and FALSE). */
export const flag = z.pipe(
  z.union([z.boolean(), z.string().check(z.regex(/^\s*(true|false)\s*$/i))]),
  z.transform((value: boolean | string) => (typeof value === 'string' ? value.trim().toLowerCase() === 'true' : value)),
);
