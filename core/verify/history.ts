import { CatalogCorrupt } from '../errors.ts';
import { parseOrCorrupt, parseVersioned } from '../format.ts';
import { epochMillisOfDirectory } from '../ids.ts';
import { readGzipJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from '../stored-json.ts';
import { nameOfCatalogKey, slicesKey, verificationKey, verificationsPrefix } from '../vault-layout.ts';
import { partsOfVerificationId, type Verification, type VerifyLevel, verificationSchema } from '../verification.ts';
import { type PastSlice, type Slice, sliceSchema, slicesHeaderSchema, speaksFor } from './read-slices.ts';
import { type Unit, unitId } from './units.ts';

/**
 * How many verifications of a level are looked back at, at most: more than a year of nights. What was looked at before that counts as never
 * looked at.
 */
const MOST_VERIFICATIONS = 400;

/** Ids of all verifications of the backup, oldest first. */
export async function listVerifications(vault: ObjectStore, backup: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { key } of vault.list(verificationsPrefix(backup))) {
    const id = nameOfCatalogKey(key);
    if (partsOfVerificationId(id) !== undefined) {
      ids.push(id);
    }
  }
  return ids;
}

/** The newest one that can be read: a broken record loses what its run found, and no more. @throws FormatTooNew */
export async function readNewestReadable(
  vault: ObjectStore,
  backup: string,
  ids: readonly string[],
): Promise<Verification | undefined> {
  for (const id of ids.toReversed()) {
    const record = await readReadable(vault, backup, id);
    if (record !== undefined) {
      return record;
    }
  }
  return undefined;
}

/** @returns undefined when there is no such record, or it cannot be read */
async function readReadable(vault: ObjectStore, backup: string, id: string): Promise<Verification | undefined> {
  try {
    return (await readJson(vault, verificationKey(backup, id), verificationSchema))?.value;
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return undefined;
    }
    throw error;
  }
}

/** Slices of each unit, oldest first, as far back as they say anything: to the beginning of its newest round. */
export type SlicesByUnit = ReadonlyMap<string, readonly PastSlice[]>;

interface Wanted {
  readonly unit: Unit;
  /** Newest first. */
  readonly slices: PastSlice[];
  satisfied: boolean;
}

/** @param newest slices of the run that is being concluded; they come after all that are stored */
export async function readSlices(
  vault: ObjectStore,
  question: {
    readonly backup: string;
    readonly level: VerifyLevel;
    readonly ids: readonly string[];
    readonly units: readonly Unit[];
    readonly newest?: readonly PastSlice[];
  },
): Promise<SlicesByUnit> {
  const { backup, level, ids } = question;
  const wanted = new Map<string, Wanted>();
  for (const unit of question.units) {
    wanted.set(unitId(unit), { unit, slices: [], satisfied: false });
  }
  for (const slice of question.newest ?? []) {
    take(wanted, slice);
  }
  const sameLevel = ids.filter((id) => partsOfVerificationId(id)?.level === level);
  for (const id of sameLevel.slice(-MOST_VERIFICATIONS).toReversed()) {
    if ([...wanted.values()].every((each) => each.satisfied || isYounger(each.unit, id))) {
      break;
    }
    // What a run found is in its record: where that cannot be read, what the run has looked at proves nothing.
    const record = await readReadable(vault, backup, id);
    const heldAgainst = new Set(record?.visible);
    for await (const slice of record === undefined ? [] : readSlicesOf(vault, backup, id)) {
      take(wanted, { ...slice, verification: id, heldAgainst });
    }
  }
  return new Map([...wanted].map(([id, { slices }]) => [id, slices.toReversed()]));
}

/** No verification has looked at a snapshot that was not there yet. */
function isYounger({ snapshot }: Unit, id: string): boolean {
  const takenAtEpochMillis = epochMillisOfDirectory(snapshot) ?? 0;
  return takenAtEpochMillis > (partsOfVerificationId(id)?.plannedAtEpochMillis ?? 0);
}

/** Once a whole round has been seen, older slices say nothing new: neither where to go on, nor how much was looked at. */
function take(wanted: ReadonlyMap<string, Wanted>, slice: PastSlice): void {
  const entry = wanted.get(unitId(slice));
  if (entry === undefined || entry.satisfied || !speaksFor(slice, entry.unit)) {
    return;
  }
  entry.slices.push(slice);
  entry.satisfied = slice.after === undefined && entry.slices.some(({ complete }) => complete);
}

/** What cannot be read any more counts as not looked at. @throws FormatTooNew */
async function* readSlicesOf(vault: ObjectStore, backup: string, id: string): AsyncGenerator<Slice> {
  const key = slicesKey(backup, id);
  const object = await vault.get(key);
  if (object === undefined) {
    return;
  }
  try {
    let isHeader = true;
    for await (const value of readGzipJsonLines(object.body, key)) {
      if (isHeader) {
        parseVersioned(slicesHeaderSchema, value, key);
        isHeader = false;
      } else {
        yield parseOrCorrupt(sliceSchema, value, key);
      }
    }
  } catch (error) {
    if (!(error instanceof CatalogCorrupt)) {
      throw error;
    }
  }
}
