import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import { type DirectoryLine, isDirectoryLine, type ManifestLine, type PartLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import { assertPartPath } from '../../core/part-path.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RestoreMarker, VaultSource } from '../../core/ports/restore-target.ts';
import type { SingleTarget } from '../roots/single-root.ts';
import type { S3Bucket } from '../s3/s3-bucket.ts';
import { moveFileAside, removeAsideDirectory } from './aside.ts';
import { applyAttributesAt } from './file-attributes.ts';
import { checksumOfFile } from './file-checksum.ts';
import { discoverFileRanks, listEntries } from './file-listing.ts';
import { describeRoot, type FileRoot, pathInRoot } from './file-root.ts';
import { readMarkerFile, removeMarkerFile, writeMarkerFile } from './marker-file.ts';
import { placeFile } from './place-file.ts';
import { statPlain } from './plain-path.ts';
import { makeDirectories, removeDirectory, removeFile } from './target-directories.ts';
import { readVaultPart } from './vault-reader.ts';

interface FileRestoreTargetOptions {
  readonly root: FileRoot;
  readonly clock: Clock;
  /** How to read the vault; the bucket is named by each source. */
  readonly vault: Pick<S3Bucket, 'client' | 'expectedBucketOwner'>;
}

/** Tries of one part that another try of the same part may spoil. */
const MAX_PLACE_TRIES = 3;

/**
 * A directory of this machine as a restore reads and writes it. Nothing is written through a link or outside of the root; what the
 * root excludes is neither listed nor removed.
 */
export class FileRestoreTarget implements SingleTarget {
  readonly name: string;
  readonly hasDirectories = true;
  readonly #root: FileRoot;
  readonly #options: FileRestoreTargetOptions;

  constructor(options: FileRestoreTargetOptions) {
    this.name = options.root.name;
    this.#root = options.root;
    this.#options = options;
  }

  /** Also what a restore that died has left under temporary names, and links and special files: all of these are to be removed. */
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    const root = this.#root;
    return listEntries(
      { root, rank, after, showTemporary: true },
      { root, clock: this.#options.clock, specialFiles: 'show' },
    );
  }

  async discoverRanks(): Promise<readonly number[]> {
    return await discoverFileRanks(this.#root);
  }

  accepts(rank: RankName): boolean {
    const { fixedRank } = this.#root.pattern;
    return fixedRank === undefined || fixedRank === rank;
  }

  excludes(rank: RankName, line: ManifestLine): boolean {
    return this.#root.excluded(isDirectoryLine(line) ? this.#placeOf(rank, line) : this.#place(rank, line.path));
  }

  async checksumOf(rank: RankName, path: string, algorithm: ChecksumAlgorithm): Promise<Checksum | undefined> {
    return await checksumOfFile(this.#root, this.#place(rank, path), algorithm);
  }

  async placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void> {
    const { sizeBytes, checksum, attributes } = line;
    const path = this.#place(rank, line.path);
    const placement = { path, sizeBytes, checksum, ...(attributes === undefined ? {} : { attributes }) };
    for (let tries = 0; tries < MAX_PLACE_TRIES; tries += 1) {
      if (await placeFile(this.#root, placement, readVaultPart(this.#options.vault, source))) {
        return;
      }
    }
    throw new StoreUnavailable(
      `${JSON.stringify(path)} in ${describeRoot(this.#root)} is being restored by another try.`,
      {
        hint: 'The step is tried again by itself; when it goes on, look for a second restore into the same root.',
      },
    );
  }

  async setAttributes(rank: RankName, line: PartLine): Promise<void> {
    if (line.attributes !== undefined) {
      await this.#applyAt(this.#place(rank, line.path), line.attributes);
    }
  }

  async makeDirectory(rank: RankName, line: DirectoryLine): Promise<void> {
    await makeDirectories(this.#root, this.#placeOf(rank, line));
  }

  async finishDirectory(rank: RankName, line: DirectoryLine): Promise<void> {
    await this.#applyAt(this.#placeOf(rank, line), line.attributes);
  }

  /** A directory goes with all that is in it, except what the root excludes. */
  async remove(rank: RankName, path: string): Promise<void> {
    const place = this.#place(rank, path);
    const found = await statPlain(this.#root, place);
    if (found === undefined || found.isDirectory() !== place.endsWith('/')) {
      return;
    }
    if (found.isDirectory()) {
      await removeDirectory(this.#root, place);
    } else {
      await removeFile(this.#root, place);
    }
  }

  async moveAside(rank: RankName, path: string, label: string): Promise<void> {
    await moveFileAside(this.#root, this.#place(rank, path), label);
  }

  async removeAside(label: string): Promise<void> {
    await removeAsideDirectory(this.#root, label);
  }

  async readMarker(): Promise<RestoreMarker | undefined> {
    return await readMarkerFile(this.#root);
  }

  async writeMarker(marker: RestoreMarker): Promise<void> {
    await writeMarkerFile(this.#root, marker);
  }

  async removeMarker(execution: string): Promise<void> {
    await removeMarkerFile(this.#root, execution);
  }

  /** A rank's own directory goes where this root's pattern has it. */
  #placeOf(rank: RankName, line: DirectoryLine): string {
    return line.rank === undefined ? this.#place(rank, line.path) : this.#root.pattern.rankPath(line.rank);
  }

  /** Follows no link on the way. */
  async #applyAt(place: string, attributes: NonNullable<PartLine['attributes']>): Promise<void> {
    await statPlain(this.#root, place);
    await applyAttributesAt(this.#root, place.replace(/\/$/, ''), attributes);
  }

  /** @throws PartPathInvalid for a path of a manifest that would lead out of the root */
  #place(rank: RankName, path: string): string {
    assertPartPath(path, describeRoot(this.#root));
    return pathInRoot(this.#root, rank, path);
  }
}
