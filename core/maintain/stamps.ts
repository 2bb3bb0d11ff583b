import pMap, { pMapSkip } from 'p-map';
import * as z from 'zod/mini';
import { CatalogCorrupt } from '../errors.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from '../format.ts';
import { snapshotDirectorySchema } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from '../stored-json.ts';
import { epochMillisOfIso } from '../utc.ts';
import { SWEPT_PREFIX, sweptKey } from '../work-layout.ts';

/**
 * `swept/<backup>/<snapshot>.json`: the last sweep of a dead directory deleted all that it could. What is left is named by these
 * snapshots, or locked: as long as that is so, another sweep would free nothing.
 */
const stampSchema = z.object({
  formatVersion: formatVersionSchema,
  referrers: z.array(snapshotDirectorySchema),
  /** ISO 8601. @default - nothing is locked, or for ever */
  lockedUntil: z.optional(z.string()),
  at: z.string(),
});
export type Stamp = Omit<z.infer<typeof stampSchema>, 'formatVersion'>;

const READ_CONCURRENCY = 16;

/** Of these directories, those that have one. One that cannot be read counts as none: it only saves a listing. */
export async function readStamps(
  work: ObjectStore,
  backup: string,
  directories: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Stamp>> {
  const prefix = `${SWEPT_PREFIX}${backup}/`;
  const read = async ({ key }: { readonly key: string }) => {
    const directory = key.slice(prefix.length).replace(/\.json$/, '');
    const stamp = directories.has(directory) ? await readStamp(work, key) : undefined;
    return stamp === undefined ? pMapSkip : ([directory, stamp] as const);
  };
  return new Map(await pMap(work.list(prefix), read, { concurrency: READ_CONCURRENCY }));
}

async function readStamp(work: ObjectStore, key: string): Promise<Stamp | undefined> {
  try {
    return (await readJson(work, key, stampSchema))?.value;
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return undefined;
    }
    throw error;
  }
}

export async function hasStamp(work: ObjectStore, backup: string, directory: string): Promise<boolean> {
  return (await work.head(sweptKey(backup, directory))) !== undefined;
}

export async function writeStamp(
  work: ObjectStore,
  place: { readonly backup: string; readonly directory: string },
  stamp: Stamp,
): Promise<void> {
  await work.put(sweptKey(place.backup, place.directory), jsonBytes({ formatVersion: FORMAT_VERSION, ...stamp }));
}

/** Could a sweep free something that the last one did not? */
export function isStampValid(stamp: Stamp, kept: ReadonlySet<string>, nowEpochMillis: number): boolean {
  const { lockedUntil } = stamp;
  const unlocked = lockedUntil !== undefined && (epochMillisOfIso(lockedUntil) ?? 0) <= nowEpochMillis;
  return !unlocked && stamp.referrers.every((snapshot) => kept.has(snapshot));
}
