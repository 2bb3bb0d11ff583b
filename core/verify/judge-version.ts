import type { RankName } from '../ids.ts';
import type { PartLine } from '../manifest.ts';
import type { ListedVersion } from '../ports/vault-versions.ts';
import type { Sighting } from './sightings.ts';

/**
 * Storage classes that S3 reads in milliseconds (S3 user guide, "Understanding and managing Amazon S3 storage classes"). Listings show
 * INTELLIGENT_TIERING whatever tier an object is in; its archive tiers are opt-in, and a `read` finds what lies there.
 */
const READABLE_CLASSES: ReadonlySet<string> = new Set([
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
  'EXPRESS_ONEZONE',
]);

/** A part as the manifest of `snapshot` names it. */
export interface NamedPart {
  readonly snapshot: string;
  readonly rank: RankName;
  readonly line: PartLine;
  /** Where the bytes lie. */
  readonly key: string;
}

export function sightingOf(part: NamedPart, kind: Sighting['kind'], detail: string): Sighting {
  const { snapshot, rank, line, key } = part;
  return { kind, snapshot, rank, key, versionId: line.versionId, detail, in: line.in, path: line.path };
}

/** Compares a line with the versions of its key, the current one first. */
export function judgeVersions(part: NamedPart, versions: readonly ListedVersion[]): readonly Sighting[] {
  const index = versions.findIndex(({ kind, versionId }) => kind === 'version' && versionId === part.line.versionId);
  const found = versions[index];
  if (found === undefined) {
    return [sightingOf(part, 'MissingObject', `The version is not there${insteadOf(versions)}.`)];
  }
  const wrong = [...judgeBytes(part, found), ...judgeClass(part, found)];
  const above = versions[0];
  return index === 0 || above === undefined
    ? wrong
    : [...wrong, sightingOf(part, 'NoncurrentObject', `${nameOf(above)} lies over it.`)];
}

function insteadOf(versions: readonly ListedVersion[]): string {
  const others = versions.filter(({ kind }) => kind === 'version').length;
  return others === 0 ? '' : `; ${others === 1 ? 'another version of the key is' : `${others} others of the key are`}`;
}

function judgeBytes(part: NamedPart, { sizeBytes, etag }: ListedVersion): readonly Sighting[] {
  const { line } = part;
  if (sizeBytes !== line.sizeBytes) {
    const kind = sizeBytes < line.sizeBytes ? 'TruncatedObject' : 'ChangedObject';
    return [sightingOf(part, kind, `It has ${sizeBytes} bytes; recorded are ${line.sizeBytes}.`)];
  }
  return etag === line.etag
    ? []
    : [sightingOf(part, 'ChangedObject', `It has the ETag ${etag}; recorded is ${line.etag}.`)];
}

function judgeClass(part: NamedPart, { storageClass }: ListedVersion): readonly Sighting[] {
  return READABLE_CLASSES.has(storageClass)
    ? []
    : [
        sightingOf(
          part,
          'ArchivedObject',
          `Its storage class is ${storageClass}, which is not readable in milliseconds.`,
        ),
      ];
}

/** What lies over a version that is named is told as NoncurrentObject; everything else in the snapshot's own place is extra. */
export function extraVersions(
  place: Pick<NamedPart, 'snapshot' | 'rank'>,
  versions: readonly ListedVersion[],
  named: string | undefined,
): readonly Sighting[] {
  const { snapshot, rank } = place;
  const index = versions.findIndex(({ versionId }) => versionId === named);
  return versions.slice(index + 1).map(({ kind, key, versionId, sizeBytes }) => ({
    kind: 'ExtraObject',
    snapshot,
    rank,
    key,
    versionId,
    detail:
      kind === 'deleteMarker'
        ? 'A delete marker over nothing that is named.'
        : `${sizeBytes} bytes that nothing names.`,
  }));
}

function nameOf(version: ListedVersion): string {
  return version.kind === 'deleteMarker' ? 'A delete marker' : `Version ${version.versionId}`;
}
