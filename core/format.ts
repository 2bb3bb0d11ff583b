import * as z from 'zod/mini';
import { shapeFindings } from './config/shape-findings.ts';
import { CatalogCorrupt, FormatTooNew } from './errors.ts';

/** Version of everything written to vault and work bucket. A reader that meets a greater one stops before it changes anything. */
export const FORMAT_VERSION = 1;

export const formatVersionSchema = z.literal(FORMAT_VERSION);

const versioned = z.looseObject({ formatVersion: z.int() });

/**
 * Parses a catalog or work object.
 * @throws FormatTooNew, CatalogCorrupt naming the object and the first findings
 */
export function parseVersioned<S extends z.ZodMiniType>(schema: S, value: unknown, name: string): z.output<S> {
  const version = versioned.safeParse(value);
  if (version.success && version.data.formatVersion > FORMAT_VERSION) {
    throw new FormatTooNew(
      `${name} has format version ${version.data.formatVersion}; this Rankvault knows up to ${FORMAT_VERSION}.`,
      {
        hint: 'Use the Rankvault version that wrote it, or a newer one; nothing was changed.',
      },
    );
  }
  return parseOrCorrupt(schema, value, name);
}

/** As `parseVersioned` for lines whose version stands in their file's header. */
export function parseOrCorrupt<S extends z.ZodMiniType>(schema: S, value: unknown, name: string): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) {
    const findings = shapeFindings(result.error.issues.slice(0, 3), 'it');
    throw new CatalogCorrupt(`${name} is not what it should be: ${findings.join('; ')}.`, {
      hint: 'Restore an earlier version of this object from the bucket, or use another snapshot.',
    });
  }
  return result.data;
}

/** Bytes of a small JSON object: keys in the order given, one trailing newline. */
export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`, 'utf8');
}

export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CatalogCorrupt(`${name} is not JSON.`, {
      hint: 'Restore an earlier version of this object from the bucket.',
      cause: error,
    });
  }
}
