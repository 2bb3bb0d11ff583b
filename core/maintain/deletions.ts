import * as z from 'zod/mini';
import { formatVersionSchema } from '../format.ts';
import type { LockedVersion } from '../ports/vault-versions.ts';
import { isoOfEpochMillis } from '../utc.ts';
import type { RunKeys } from '../work-layout.ts';
import type { RemovalLine } from './removals.ts';

/** An item of the deletions' Map: `<backup>/<directory>/<part>/<piece>-<number>`. */
export const deletionItemSchema = z.object({ batch: z.string() });
export type DeletionItem = z.infer<typeof deletionItemSchema>;

const count = z.int().check(z.nonnegative());

/** What S3 would not delete: under Object Lock or a legal hold. */
export const refusedSchema = z.object({
  parts: count,
  bytes: count,
  markers: count,
  catalogObjects: count,
  /** The latest date; a legal hold has none. */
  until: z.optional(z.string()),
});
export type Refused = z.infer<typeof refusedSchema>;

export const NOTHING_REFUSED: Refused = { parts: 0, bytes: 0, markers: 0, catalogObjects: 0 };

/** Write-once result of a batch. */
export const deletedBatchSchema = z.object({ formatVersion: formatVersionSchema, refused: refusedSchema });

export const deletedBatchKey = (keys: RunKeys, batch: string): string => keys.unit('deletions', batch);

/** @param window what was asked for @param locked those of it that S3 refused */
export function countRefused(
  before: Refused,
  window: readonly RemovalLine[],
  locked: readonly LockedVersion[],
): Refused {
  const dates = new Map(locked.map((each) => [nameOf(each), each.lockedUntilEpochMillis]));
  const refused = { ...before };
  for (const line of window.filter((each) => dates.has(nameOf(each)))) {
    const { kind, sizeBytes } = line;
    const date = dates.get(nameOf(line));
    refused.parts += kind === 'part' ? 1 : 0;
    refused.bytes += kind === 'part' ? sizeBytes : 0;
    refused.markers += kind === 'marker' ? 1 : 0;
    refused.catalogObjects += kind === 'catalog' ? 1 : 0;
    refused.until = later(refused.until, date === undefined ? undefined : isoOfEpochMillis(date));
  }
  return refused;
}

export function addRefused(left: Refused, right: Refused): Refused {
  return {
    parts: left.parts + right.parts,
    bytes: left.bytes + right.bytes,
    markers: left.markers + right.markers,
    catalogObjects: left.catalogObjects + right.catalogObjects,
    until: later(left.until, right.until),
  };
}

/** The later of two ISO 8601 dates of the same form; undefined is none. */
export function later(left: string | undefined, right: string | undefined): string | undefined {
  return left === undefined || (right !== undefined && right > left) ? right : left;
}

/** Version ids have no spaces (S3 API reference: URL-ready). */
function nameOf({ key, versionId }: Pick<RemovalLine, 'key' | 'versionId'>): string {
  return `${versionId} ${key}`;
}
