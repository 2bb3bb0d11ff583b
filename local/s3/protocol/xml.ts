import { XMLParser } from 'fast-xml-parser';
import type * as z from 'zod/mini';
import { S3Error } from './s3-error.ts';

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
export const xmlNamespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

// Control characters are not XML 1.0 text; S3 sends them as numeric references all the same.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be found
const unsafeCharacters = /[&<>"\u0000-\u001f\u007f]/g;
const namedReferences: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text made safe for an XML element: `a&b` → `a&amp;b`. */
function escapeXml(text: string): string {
  return text.replace(unsafeCharacters, (one) => namedReferences[one] ?? `&#x${one.charCodeAt(0).toString(16)};`);
}

/** One element, or nothing when the value is absent. */
export function element(name: string, value: string | number | boolean | undefined): string {
  if (value === undefined) return '';
  return `<${name}>${typeof value === 'string' ? escapeXml(value) : value}</${name}>`;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true,
  htmlEntities: true,
  // Bodies come from our own tests: 1,000 keys full of `&amp;` must pass the guard against entity bombs.
  processEntities: { enabled: true, maxTotalExpansions: 10_000_000, maxExpandedLength: 100_000_000 },
  isArray: (name) => name === 'Object' || name === 'Part',
});

/** Parses a request body and checks its shape. Throws MalformedXML. */
export function parseXml<Schema extends z.ZodMiniType>(body: Buffer, schema: Schema): z.output<Schema> {
  const malformed = new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema.',
  );
  let document: unknown;
  try {
    document = parser.parse(body.toString('utf8'), true);
  } catch {
    throw malformed;
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) throw malformed;
  return parsed.data;
}
