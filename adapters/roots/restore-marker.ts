import * as z from 'zod/mini';
import { CatalogCorrupt, FormatTooNew } from '../../core/errors.ts';
import type { RestoreMarker } from '../../core/ports/restore-target.ts';
import { restorePolicySchema } from '../../core/run.ts';

/** Names that Rankvault keeps directly below a root; no listing of a root shows them. */
export const RESERVED_PREFIX = '.rankvault';
/** Marker of a restore that has begun in the root and has not finished. */
export const MARKER_NAME = '.rankvault-restoring.json';

/** Directory inside the root where policy `rename` and `replace` move a restore's old files. */
export function asideDirectory(label: string): string {
  return `.rankvault-aside/${label}/`;
}

const markerSchema = z.object({
  formatVersion: z.literal(1),
  execution: z.string(),
  backup: z.string(),
  snapshot: z.string(),
  startedAt: z.string(),
  phase: z.enum(['moving', 'placing']),
  policy: z.optional(restorePolicySchema),
  label: z.string().check(z.regex(/^[A-Za-z0-9._-]{1,128}$/)),
});
const versionSchema = z.object({ formatVersion: z.int().check(z.positive()) });

/**
 * @param where names the root, for messages
 * @throws CatalogCorrupt, FormatTooNew
 */
export function parseMarker(json: string, where: string): RestoreMarker {
  const value = parseJson(json);
  const marker = markerSchema.safeParse(value);
  if (marker.success) {
    return marker.data;
  }
  const version = versionSchema.safeParse(value);
  if (version.success && version.data.formatVersion > 1) {
    throw new FormatTooNew(`The restore marker in ${where} has format version ${version.data.formatVersion}.`, {
      hint: 'Use the Rankvault version that wrote it, or a newer one.',
    });
  }
  throw new CatalogCorrupt(`The restore marker ${MARKER_NAME} in ${where} cannot be read.`, {
    hint: 'Look at the file; when no restore is running, delete it and restore the cluster again.',
    cause: marker.error,
  });
}

/**
 * Never text that `parseMarker` refuses: such a marker would bar its root from every restore.
 * @throws CatalogCorrupt
 */
export function formatMarker(marker: RestoreMarker): string {
  const readable = markerSchema.safeParse(marker);
  if (!readable.success) {
    throw new CatalogCorrupt(
      `The restore marker of execution ${JSON.stringify(marker.execution)} could not be read again.`,
      {
        hint: 'Nothing was written; start the restore anew, and report this if it happens again.',
        cause: readable.error,
      },
    );
  }
  return `${JSON.stringify(marker, null, 2)}\n`;
}

/**
 * What to leave in the root, given what is there: another execution's marker gives way; the same execution's goes forward only.
 * A name may come back after 90 days, so that it is the same execution only if it began at the same time.
 */
export function nextMarker(present: RestoreMarker | undefined, wanted: RestoreMarker): RestoreMarker {
  const same = present?.execution === wanted.execution && present.startedAt === wanted.startedAt;
  return same && present.phase === 'placing' ? present : wanted;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
