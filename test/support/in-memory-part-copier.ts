import { PartChanged, PartMissing, VaultKeyTaken } from '../../core/errors.ts';
import type { Receipt } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { partKey, rewrittenPartKey } from '../../core/vault-layout.ts';
import { checksumOfBytes } from './checksum-of-bytes.ts';
import type { InMemoryObjectStore } from './in-memory-object-store.ts';
import { type InMemoryTree, type MemoryFile, pathInMemoryRoot } from './in-memory-tree.ts';

const HINT = 'Take a new snapshot.';

/** Copies parts of a tree in memory into a vault in memory. Passes the same contract suite as `S3PartCopier`. */
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
        await this.#vault.createWith(key, this.#read(task).bytes, { 'rankvault-token': part.token });
      }
      if (!taken || metadata['rankvault-token'] === part.token) {
        return this.#receipt(task, key, key === natural ? undefined : key);
      }
    }
    throw new VaultKeyTaken(`${rewritten} holds another version of the part.`, { hint: HINT });
  }

  #read(task: CopyTask): MemoryFile {
    const { part, rank } = task;
    const root = this.#tree.root(part.root);
    const file = root.files.get(pathInMemoryRoot(root, rank, part.path));
    if (file === undefined) {
      throw new PartMissing(`${part.path} was listed and is gone.`, { hint: HINT });
    }
    if (file.token !== part.token) {
      throw new PartChanged(`${part.path} changed after it was listed.`, { hint: HINT });
    }
    return file;
  }

  async #receipt(task: CopyTask, key: string, named: string | undefined): Promise<Receipt> {
    const stored = await this.#vault.get(key);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stored?.body ?? []) {
      chunks.push(chunk);
    }
    return {
      path: task.part.path,
      token: task.part.token,
      sizeBytes: task.part.sizeBytes,
      checksum: await checksumOfBytes('CRC64NVME', Buffer.concat(chunks)),
      in: task.snapshot,
      etag: stored?.etag ?? '',
      versionId: stored?.versionId ?? '',
      ...(named === undefined ? {} : { key: named }),
    };
  }
}
