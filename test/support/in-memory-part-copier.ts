import { algorithmOf } from '../../core/checksum.ts';
import { ChecksumMismatch, PartChanged, PartMissing, VaultKeyTaken, VaultPartMissing } from '../../core/errors.ts';
import type { Receipt, StoredBytes } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { partKey, rewrittenPartKey } from '../../core/vault-layout.ts';
import { bytesOf } from './byte-streams.ts';
import { checksumOfBytes } from './checksum-of-bytes.ts';
import type { InMemoryObjectStore } from './in-memory-object-store.ts';
import { type InMemoryTree, pathInMemoryRoot } from './in-memory-tree.ts';

const HINT = 'Take a new snapshot.';

/**
 * Copies parts of a tree in memory, or those that it has already, into a vault in memory. Passes the same contract suites as
 * `S3PartCopier` and `VaultPartCopier`.
 */
export class InMemoryPartCopier implements PartCopier {
  readonly #tree: InMemoryTree;
  readonly #vault: InMemoryObjectStore;

  constructor(tree: InMemoryTree, vault: InMemoryObjectStore) {
    this.#tree = tree;
    this.#vault = vault;
  }

  async copy(task: CopyTask): Promise<Receipt | undefined> {
    if (task.shouldStop()) {
      return undefined;
    }
    const { backup, snapshot, rank, part } = task;
    const place = { backup, snapshot, rank, path: part.path };
    const natural = partKey(backup, snapshot, rank, part.path);
    const rewritten = rewrittenPartKey(place, part.token);
    for (const key of [natural, rewritten]) {
      const metadata = this.#vault.metadataOf(key);
      const taken = (await this.#vault.head(key)) !== undefined;
      if (!taken) {
        await this.#vault.createWith(key, await this.#read(task), { 'rankvault-token': part.token });
      }
      if (!taken || metadata['rankvault-token'] === part.token) {
        return this.#receipt(task, key, key === natural ? undefined : key);
      }
    }
    throw new VaultKeyTaken(`${rewritten} holds another version of the part.`, { hint: HINT });
  }

  async #read(task: CopyTask): Promise<Uint8Array> {
    return task.stored === undefined ? this.#readRoot(task) : this.#readVault(task, task.stored);
  }

  #readRoot({ part, rank }: CopyTask): Uint8Array {
    const root = this.#tree.root(part.root);
    const file = root.files.get(pathInMemoryRoot(root, rank, part.path));
    if (file === undefined) {
      throw new PartMissing(`${part.path} was listed and is gone.`, { hint: HINT });
    }
    if (file.token !== part.token) {
      throw new PartChanged(`${part.path} changed after it was listed.`, { hint: HINT });
    }
    return file.bytes;
  }

  async #readVault({ backup, rank, part }: CopyTask, stored: StoredBytes): Promise<Uint8Array> {
    const key = stored.key ?? partKey(backup, stored.in, rank, part.path);
    const version = this.#vault.version({ key, versionId: stored.versionId });
    if (version?.kind !== 'version') {
      throw new VaultPartMissing(`${key} version ${stored.versionId} is not in the vault.`, { hint: HINT });
    }
    const actual = await checksumOfBytes(algorithmOf(stored.checksum), version.body);
    if (actual !== stored.checksum) {
      throw new ChecksumMismatch(`${key} reads as ${actual}, not ${stored.checksum}.`, { hint: HINT });
    }
    return version.body;
  }

  async #receipt(task: CopyTask, key: string, named: string | undefined): Promise<Receipt> {
    const object = await this.#vault.get(key);
    const algorithm = task.stored === undefined ? 'CRC64NVME' : algorithmOf(task.stored.checksum);
    return {
      path: task.part.path,
      token: task.part.token,
      sizeBytes: task.part.sizeBytes,
      checksum: await checksumOfBytes(algorithm, object === undefined ? new Uint8Array() : await bytesOf(object.body)),
      in: task.snapshot,
      etag: object?.etag ?? '',
      versionId: object?.versionId ?? '',
      ...(named === undefined ? {} : { key: named }),
    };
  }
}
