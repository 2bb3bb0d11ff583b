import type { Checksum } from '../checksum.ts';
import type { RankName } from '../ids.ts';
import type { DirectoryLine, ManifestLine, PartLine } from '../manifest.ts';
import type { LiveEntry } from '../part.ts';
import type { RestorePolicy } from '../run.ts';

/**
 * The files of a target cluster as a restore reads and writes them. All writes are safe to repeat.
 *
 * Adapters: `adapters/roots/`; twin: `test/support/in-memory-target.ts`.
 */
export interface RestoreTarget {
  /** As `SourceRoots.listRank`; links and special files are yielded as parts to be removed, never followed. */
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry>;
  discoverRanks(): Promise<readonly number[]>;
  /** Is there a root that this rank's files can go to? */
  accepts(rank: number): boolean;
  /**
   * Asked of every line before anything changes: does one of the roots take it?
   * @throws TopologyMismatch
   */
  assertPlace(rank: RankName, line: ManifestLine): void;
  /** What the line's root excludes is neither listed nor written. Asked of lines that have a place. */
  excludes(rank: RankName, line: ManifestLine): boolean;
  /**
   * Name of the line's root if it is a file system, where no file has others below it; undefined on S3, where keys may.
   * @throws TopologyMismatch
   */
  fileSystemOf(line: ManifestLine): string | undefined;
  /**
   * Checksum of what lies there now: read from a file, asked by HEAD of an object.
   * @returns undefined when there is nothing, or S3 has no full-object checksum of this algorithm
   */
  checksumOf(rank: RankName, entry: TargetPath, algorithm: 'CRC64NVME' | 'CRC32'): Promise<Checksum | undefined>;
  /**
   * Puts a part in place: a temporary name, checksummed while written, synced, attributes, then renamed; an S3 target by one
   * server-side copy. Holes are made for blocks of zeros.
   * @throws ChecksumMismatch when the vault's bytes are not the recorded ones; nothing is renamed then
   * @throws VaultPartMissing
   */
  placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void>;
  /** Attributes only, where the bytes are already right. */
  setAttributes(rank: RankName, line: PartLine): Promise<void>;
  /** Creates a directory, parents included; nothing on S3. */
  makeDirectory(rank: RankName, line: DirectoryLine): Promise<void>;
  /** Mode, owner and time of a directory; last, because writing inside changes its time. */
  finishDirectory(rank: RankName, line: DirectoryLine): Promise<void>;
  /** Removes a part, or a directory that is empty; absent is fine. */
  remove(rank: RankName, entry: TargetPath): Promise<void>;
  /** Moves a part to `.rankvault-aside/<label>/` of its root, keeping its path; absent is fine, moved before is fine. */
  moveAside(rank: RankName, entry: TargetPath, label: string): Promise<void>;
  /** Deletes `.rankvault-aside/<label>/` of every root; absent is fine. */
  removeAside(label: string): Promise<void>;
  /**
   * Writes the marker of a restore in every root. Another execution's marker is replaced: the cluster's lock proves that it is
   * dead. The same execution's never goes back from `placing` to `moving`, so that a late ghost changes nothing.
   * @throws RestoreInProgress when somebody else writes the marker at the same moment
   */
  writeMarkers(marker: RestoreMarker): Promise<void>;
  readMarkers(): Promise<readonly { readonly root: string; readonly marker: RestoreMarker }[]>;
  /** Removes this execution's markers; another's stay. */
  removeMarkers(execution: string): Promise<void>;
}

export interface TargetPath {
  readonly root: string;
  readonly path: string;
}

export interface VaultSource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
}

export interface RestoreMarker {
  readonly formatVersion: 1;
  readonly execution: string;
  readonly backup: string;
  readonly snapshot: string;
  readonly startedAt: string;
  /** `moving` while old files are moved aside, then `placing`: from there on, files in place may be the restored ones. */
  readonly phase: 'moving' | 'placing';
  /** Says what files in place and files aside mean: another policy cannot go on. Absent means `rename`, which keeps everything. */
  readonly policy?: RestorePolicy | undefined;
  /** Where old files are moved aside: of the first try, kept by those that go on with it. */
  readonly label: string;
}
