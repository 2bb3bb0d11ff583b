import {
  asideDirectory,
  formatMarker,
  MARKER_NAME,
  nextMarker,
  parseMarker,
} from '../../adapters/roots/restore-marker.ts';
import { algorithmOf, type Checksum, type ChecksumAlgorithm } from '../../core/checksum.ts';
import { ChecksumMismatch, TopologyMismatch, VaultPartMissing } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { RestoreMarker, RestoreTarget, TargetPath, VaultSource } from '../../core/ports/restore-target.ts';
import { bytesOf } from './byte-streams.ts';
import { checksumOfBytes } from './checksum-of-bytes.ts';
import { listMemoryRank, memoryRanks } from './in-memory-listing.ts';
import type { InMemoryObjectStore } from './in-memory-object-store.ts';
import { type InMemoryTree, type MemoryRoot, pathInMemoryRoot } from './in-memory-tree.ts';

const HINT = 'Look at the target cluster and at the snapshot.';

/** A cluster's roots in memory as a restore reads and writes them. Keeps no directories, as S3 has none. */
export class InMemoryTarget implements RestoreTarget {
  readonly #tree: InMemoryTree;
  readonly #vault: InMemoryObjectStore;
  readonly #isFileSystem: boolean;

  /** @param options.isFileSystem its roots say that they are file systems, where no file has others below it */
  constructor(tree: InMemoryTree, vault: InMemoryObjectStore, options: { readonly isFileSystem?: boolean } = {}) {
    this.#tree = tree;
    this.#vault = vault;
    this.#isFileSystem = options.isFileSystem ?? false;
  }

  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    return listMemoryRank(this.#tree, rank, after);
  }

  discoverRanks(): Promise<readonly number[]> {
    return Promise.resolve(memoryRanks(this.#tree));
  }

  accepts(rank: number): boolean {
    return this.#tree.roots.some(({ pattern }) => pattern.fixedRank === undefined || pattern.fixedRank === rank);
  }

  assertPlace(rank: RankName, line: ManifestLine): void {
    if (isDirectoryLine(line)) {
      this.#rootOf(line);
    } else {
      this.#place(rank, line);
    }
  }

  excludes(rank: RankName, line: ManifestLine): boolean {
    if (isDirectoryLine(line)) {
      return false;
    }
    const { root, path } = this.#place(rank, line);
    return root.excludes(path);
  }

  fileSystemOf(line: ManifestLine): string | undefined {
    return this.#isFileSystem ? this.#rootOf(line).name : undefined;
  }

  async checksumOf(rank: RankName, entry: TargetPath, algorithm: ChecksumAlgorithm): Promise<Checksum | undefined> {
    const { root, path } = this.#place(rank, entry);
    const file = root.files.get(path);
    return file === undefined ? undefined : checksumOfBytes(algorithm, file.bytes);
  }

  async placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void> {
    const { root, path } = this.#place(rank, line);
    const stored = await this.#vault.get(source.key);
    if (stored === undefined || stored.versionId !== source.versionId) {
      throw new VaultPartMissing(`${source.key} version ${source.versionId} is not in the vault.`, { hint: HINT });
    }
    const bytes = await bytesOf(stored.body);
    if ((await checksumOfBytes(algorithmOf(line.checksum), bytes)) !== line.checksum) {
      throw new ChecksumMismatch(`${source.key} does not have ${line.checksum}.`, { hint: HINT });
    }
    this.#tree.write(root.name, path, bytes, line.attributes);
  }

  async setAttributes(rank: RankName, line: PartLine): Promise<void> {
    const { root, path } = this.#place(rank, line);
    const file = root.files.get(path);
    if (file !== undefined && line.attributes !== undefined) {
      root.files.set(path, { ...file, attributes: line.attributes });
    }
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve();
  }

  finishDirectory(): Promise<void> {
    return Promise.resolve();
  }

  async remove(rank: RankName, entry: TargetPath): Promise<void> {
    const { root, path } = this.#place(rank, entry);
    root.files.delete(path);
  }

  async moveAside(rank: RankName, entry: TargetPath, label: string): Promise<void> {
    const { root, path } = this.#place(rank, entry);
    const file = root.files.get(path);
    if (file !== undefined) {
      root.files.set(asideDirectory(label) + path, file);
      root.files.delete(path);
    }
  }

  removeAside(label: string): Promise<void> {
    for (const root of this.#tree.roots) {
      for (const path of [...root.files.keys()].filter((each) => each.startsWith(asideDirectory(label)))) {
        root.files.delete(path);
      }
    }
    return Promise.resolve();
  }

  async writeMarkers(marker: RestoreMarker): Promise<void> {
    for (const root of this.#tree.roots) {
      this.#tree.write(root.name, MARKER_NAME, Buffer.from(formatMarker(nextMarker(markerIn(root), marker))));
    }
  }

  async readMarkers(): Promise<readonly { readonly root: string; readonly marker: RestoreMarker }[]> {
    const found = this.#tree.roots.map((root) => ({ root: root.name, marker: markerIn(root) }));
    return found.flatMap(({ root, marker }) => (marker === undefined ? [] : [{ root, marker }]));
  }

  async removeMarkers(execution: string): Promise<void> {
    for (const root of this.#tree.roots.filter((each) => markerIn(each)?.execution === execution)) {
      root.files.delete(MARKER_NAME);
    }
  }

  #place(rank: RankName, entry: TargetPath): { readonly root: MemoryRoot; readonly path: string } {
    const root = this.#rootOf(entry);
    if (root.pattern.fixedRank !== undefined && root.pattern.fixedRank !== rank) {
      throw homeless(entry);
    }
    return { root, path: pathInMemoryRoot(root, rank, entry.path) };
  }

  #rootOf(entry: TargetPath): MemoryRoot {
    const [only] = this.#tree.roots;
    const root = this.#tree.roots.length === 1 ? only : this.#tree.roots.find(({ name }) => name === entry.root);
    if (root === undefined) {
      throw homeless(entry);
    }
    return root;
  }
}

function homeless(entry: TargetPath): TopologyMismatch {
  return new TopologyMismatch(`${entry.path} of root ${entry.root} has no place in the target.`, { hint: HINT });
}

function markerIn(root: MemoryRoot): RestoreMarker | undefined {
  const file = root.files.get(MARKER_NAME);
  return file === undefined ? undefined : parseMarker(Buffer.from(file.bytes).toString('utf8'), `root ${root.name}`);
}
