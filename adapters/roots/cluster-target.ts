import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts';
import { TopologyMismatch } from '../../core/errors.ts';
import { type RankName, rankDirectory } from '../../core/ids.ts';
import { type DirectoryLine, isDirectoryLine, type ManifestLine, type PartLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { RestoreMarker, RestoreTarget, TargetPath, VaultSource } from '../../core/ports/restore-target.ts';
import { mergeByPath } from './merge-entries.ts';
import type { SingleTarget } from './single-root.ts';

/**
 * All roots of a target cluster as one target. Entries go to the root of the same name; a target with a single root takes
 * everything, so that a cluster with several roots can be restored into one directory.
 */
export class ClusterTarget implements RestoreTarget {
  readonly #roots: readonly SingleTarget[];

  constructor(roots: readonly SingleTarget[]) {
    this.#roots = roots;
  }

  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    return mergeByPath(this.#roots.map((root) => root.listRank(rank, after)));
  }

  async discoverRanks(): Promise<readonly number[]> {
    const found = await Promise.all(this.#roots.map(async (root) => root.discoverRanks()));
    return [...new Set(found.flat())].sort((left, right) => left - right);
  }

  accepts(rank: number): boolean {
    return this.#roots.some((root) => root.accepts(rank));
  }

  assertPlace(rank: RankName, line: ManifestLine): void {
    const root = this.#rootOf(line);
    const wanted = isDirectoryLine(line) ? (line.rank ?? rank) : rank;
    const isNothingThere = isDirectoryLine(line) && !root.hasDirectories;
    if (!isNothingThere && !root.accepts(wanted)) {
      throw new TopologyMismatch(
        `${JSON.stringify(line.path)} is of ${rankDirectory(wanted)}, and root ${root.name} of the target takes another rank only.`,
        { hint: 'Give the target the same roots as the snapshot, or roots with {rank} in their patterns.' },
      );
    }
  }

  excludes(rank: RankName, line: ManifestLine): boolean {
    return this.#rootOf(line).excludes(rank, line);
  }

  fileSystemOf(line: ManifestLine): string | undefined {
    const { hasDirectories, name } = this.#rootOf(line);
    return hasDirectories ? name : undefined;
  }

  async checksumOf(rank: RankName, entry: TargetPath, algorithm: ChecksumAlgorithm): Promise<Checksum | undefined> {
    return this.#rootOf(entry).checksumOf(rank, entry.path, algorithm);
  }

  async placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void> {
    await this.#rootOf(line).placePart(rank, line, source);
  }

  async setAttributes(rank: RankName, line: PartLine): Promise<void> {
    await this.#rootOf(line).setAttributes(rank, line);
  }

  async makeDirectory(rank: RankName, line: DirectoryLine): Promise<void> {
    await this.#rootOf(line).makeDirectory(rank, line);
  }

  async finishDirectory(rank: RankName, line: DirectoryLine): Promise<void> {
    await this.#rootOf(line).finishDirectory(rank, line);
  }

  async remove(rank: RankName, entry: TargetPath): Promise<void> {
    await this.#rootOf(entry).remove(rank, entry.path);
  }

  async moveAside(rank: RankName, entry: TargetPath, label: string): Promise<void> {
    await this.#rootOf(entry).moveAside(rank, entry.path, label);
  }

  async removeAside(label: string): Promise<void> {
    await Promise.all(this.#roots.map(async (root) => root.removeAside(label)));
  }

  async writeMarkers(marker: RestoreMarker): Promise<void> {
    await Promise.all(this.#roots.map(async (root) => root.writeMarker(marker)));
  }

  async readMarkers(): Promise<readonly { readonly root: string; readonly marker: RestoreMarker }[]> {
    const found = await Promise.all(
      this.#roots.map(async (root) => ({ root: root.name, marker: await root.readMarker() })),
    );
    return found.flatMap(({ root, marker }) => (marker === undefined ? [] : [{ root, marker }]));
  }

  async removeMarkers(execution: string): Promise<void> {
    await Promise.all(this.#roots.map(async (root) => root.removeMarker(execution)));
  }

  /** @throws TopologyMismatch */
  #rootOf(entry: TargetPath): SingleTarget {
    const [only] = this.#roots;
    const root = this.#roots.length === 1 ? only : this.#roots.find(({ name }) => name === entry.root);
    if (root === undefined) {
      const names = this.#roots.map(({ name }) => name).join(', ');
      throw new TopologyMismatch(
        `${JSON.stringify(entry.path)} belongs to root ${entry.root}, and the target cluster has ${names === '' ? 'no roots' : names}.`,
        { hint: 'Give the target cluster a root of this name, or a single root that takes everything.' },
      );
    }
    return root;
  }
}
