import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts';
import type { RankName } from '../../core/ids.ts';
import type { DirectoryLine, ManifestLine, PartLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { RestoreMarker, VaultSource } from '../../core/ports/restore-target.ts';

/** One root of a cluster as a snapshot reads it; `ClusterSource` merges several. */
export interface SingleRoot {
  /** The root's name, as entries carry it. */
  readonly name: string;
  /** As `SourceRoots.listRank`, for this root alone. */
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry>;
  /** Ascending. A root with a fixed rank has that rank as soon as it holds anything. */
  discoverRanks(): Promise<readonly number[]>;
  /** True as soon as there is a marker, readable or not: a snapshot must not read such a root. */
  hasRestoreMarker(): Promise<boolean>;
}

/**
 * One root of a cluster as a restore reads and writes it; `ClusterTarget` joins several. Every method means what it means in
 * `RestoreTarget`; `path` is the part path inside the rank.
 */
export interface SingleTarget {
  readonly name: string;
  /** False on S3, where directories mean nothing and a part may have others below its path. */
  readonly hasDirectories: boolean;
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry>;
  discoverRanks(): Promise<readonly number[]>;
  /** False for a root with a fixed rank that is another one; such a root has no files of no rank. */
  accepts(rank: RankName): boolean;
  excludes(rank: RankName, line: ManifestLine): boolean;
  checksumOf(rank: RankName, path: string, algorithm: ChecksumAlgorithm): Promise<Checksum | undefined>;
  placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void>;
  setAttributes(rank: RankName, line: PartLine): Promise<void>;
  makeDirectory(rank: RankName, line: DirectoryLine): Promise<void>;
  finishDirectory(rank: RankName, line: DirectoryLine): Promise<void>;
  remove(rank: RankName, path: string): Promise<void>;
  moveAside(rank: RankName, path: string, label: string): Promise<void>;
  removeAside(label: string): Promise<void>;
  /** @throws CatalogCorrupt, FormatTooNew */
  readMarker(): Promise<RestoreMarker | undefined>;
  writeMarker(marker: RestoreMarker): Promise<void>;
  removeMarker(execution: string): Promise<void>;
}
