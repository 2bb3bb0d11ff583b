import { algorithmOf } from '../checksum.ts';
import { SourceUnreadable } from '../errors.ts';
import type { RankName } from '../ids.ts';
import type { PartReader, ReadPart } from '../ports/part-reader.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';
import type { Sighting } from './sightings.ts';
import type { ReadLine } from './verify-plan.ts';

export interface ReadPlace {
  /** Whose manifest the line is of. */
  readonly snapshot: string;
  readonly rank: RankName;
  /** The latest promise of the snapshots that name bytes of the part's directory. @default - none has promised anything */
  readonly promisedUntil: string | undefined;
  readonly nowEpochMillis: number;
}

/** Reads one version. @throws StoreUnavailable, S3AccessDenied */
export async function readPart(reader: PartReader, line: ReadLine, place: ReadPlace): Promise<readonly Sighting[]> {
  try {
    const { key, versionId } = line;
    return judgeRead(line, await reader.read({ key, versionId }, algorithmOf(line.checksum)), place);
  } catch (error) {
    if (error instanceof SourceUnreadable) {
      return [sightingOf(line, place, 'ArchivedObject', error.problem)];
    }
    throw error;
  }
}

/** Compares what was read with what was recorded. */
export function judgeRead(line: ReadLine, read: ReadPart | undefined, place: ReadPlace): readonly Sighting[] {
  if (read === undefined) {
    return [sightingOf(line, place, 'MissingObject', 'The version is not there.')];
  }
  return [...judgeBytes(line, read, place), ...judgeLock(line, read, place)];
}

function judgeBytes(line: ReadLine, read: ReadPart, place: ReadPlace): readonly Sighting[] {
  if (read.sizeBytes !== line.sizeBytes) {
    const kind = read.sizeBytes < line.sizeBytes ? 'TruncatedObject' : 'ChangedObject';
    return [sightingOf(line, place, kind, `It has ${read.sizeBytes} bytes; recorded are ${line.sizeBytes}.`)];
  }
  return read.checksum === line.checksum
    ? []
    : [sightingOf(line, place, 'ChangedObject', `It reads as ${read.checksum}; recorded is ${line.checksum}.`)];
}

/** Which of the snapshots that name the version promise more than its lock keeps is found out when the run is concluded. */
function judgeLock(line: ReadLine, read: ReadPart, place: ReadPlace): readonly Sighting[] {
  const promised = epochMillisOfIso(place.promisedUntil ?? '');
  const until = read.lockedUntilEpochMillis;
  if (promised === undefined || promised <= place.nowEpochMillis || (until ?? 0) >= promised) {
    return [];
  }
  if (until === undefined) {
    return [sightingOf(line, place, 'LockEndsEarly', 'It is not locked.')];
  }
  const lockedUntil = isoOfEpochMillis(until);
  return [{ ...sightingOf(line, place, 'LockEndsEarly', `It is locked until ${lockedUntil}.`), lockedUntil }];
}

function sightingOf(line: ReadLine, { snapshot, rank }: ReadPlace, kind: Sighting['kind'], detail: string): Sighting {
  return { kind, snapshot, rank, key: line.key, versionId: line.versionId, detail, in: line.in, path: line.path };
}
