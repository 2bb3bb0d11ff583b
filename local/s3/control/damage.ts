import { checksumOfContent } from '../store/content-checksum.ts';
import type { Store } from '../store/store.ts';
import type { ObjectVersion } from '../store/version.ts';

/** The version to be harmed. */
interface DamageTarget {
  readonly bucket: string;
  readonly key: string;
  /** @default - the current one */
  readonly versionId?: string;
}

/** Harm that no request can do, and no lock prevents: for whatever has to notice it. */
export class Damage {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Turns one bit in the middle of the bytes; size, ETag, time and the checksum that S3 tells stay as they are. */
  async rot(target: DamageTarget): Promise<void> {
    const version = this.#find(target);
    const middle = Math.floor(version.sizeBytes / 2);
    let position = 0;
    await this.#rewrite(target, version, (chunk) => {
      const at = middle - position;
      position += chunk.length;
      if (at < 0 || at >= chunk.length) return chunk;
      const rotten = Buffer.from(chunk);
      rotten[at] = (rotten[at] ?? 0) ^ 1;
      return rotten;
    });
  }

  /** Keeps the first bytes only, and says so in listings; ETag and checksum stay as they are. */
  async truncate(target: DamageTarget, sizeBytes: number): Promise<void> {
    let left = sizeBytes;
    await this.#rewrite(target, this.#find(target), (chunk) => {
      const kept = chunk.subarray(0, left);
      left -= kept.length;
      return kept;
    });
  }

  /** Takes the version away, as if it had never been written. */
  lose(target: DamageTarget): void {
    const version = this.#find(target);
    const { database, buckets, versions } = this.#store;
    database.transaction(() => versions.remove(buckets.require(target.bucket), version));
  }

  /** Moves the version to another class as a lifecycle rule does: it stays the same version. */
  changeStorageClass(target: DamageTarget, storageClass: string): void {
    const { buckets, versions } = this.#store;
    versions.setStorageClass(buckets.require(target.bucket), this.#find(target), storageClass);
  }

  async #rewrite(target: DamageTarget, version: ObjectVersion, change: (chunk: Buffer) => Buffer): Promise<void> {
    if (version.sizeBytes === 0) throw new Error(`${target.key} is empty: harm an object that has bytes.`);
    const { database, blobs, buckets, versions } = this.#store;
    const blob = blobs.createFile();
    const unpin = blobs.pin(version.content);
    try {
      for await (const chunk of blobs.read(version.content)) await blob.write(change(chunk));
    } finally {
      unpin();
    }
    const incoming = await blob.close();
    const content = database.transaction(() => {
      const adopted = blobs.adopt(incoming);
      versions.setContent(buckets.require(target.bucket), version, adopted, incoming.sizeBytes);
      return adopted;
    });
    // Remembered with the bytes, so that a copy tells what it copied and not what the version says of itself.
    if (version.checksum !== undefined) await checksumOfContent(blobs, content, version.checksum.algorithm);
  }

  #find({ bucket, key, versionId }: DamageTarget): ObjectVersion {
    const { buckets, versions } = this.#store;
    const at = buckets.require(bucket);
    const found = versionId === undefined ? versions.current(at, key) : versions.find(at, key, versionId);
    if (found === undefined || found.isMarker) {
      throw new Error(`There is no such version of ${key} in ${bucket}: name one that a listing shows.`);
    }
    return found;
  }
}
