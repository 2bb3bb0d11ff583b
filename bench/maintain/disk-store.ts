import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListOptions, StoredObject, StreamedObject } from '../../core/ports/object-store.ts';
import { InMemoryObjectStore, type InMemoryStoreOptions } from '../../test/support/in-memory-object-store.ts';

const READ_BYTES = 262_144;
/** Keys or versions in an answer to one listing request (S3 API reference). */
const LISTED_AT_ONCE = 1000;

/**
 * A bucket whose streamed objects lie in a directory, so that peak memory is the engine's, and which counts requests as S3 would bill
 * them; small objects stay in memory.
 */
export class DiskStore extends InMemoryObjectStore {
  readonly requests: Record<string, number> = {};
  readonly #directory: string;
  readonly #streamed = new Set<string>();

  constructor(directory: string, options: InMemoryStoreOptions = {}) {
    super(options);
    this.#directory = directory;
  }

  override get(key: string): Promise<StoredObject | undefined> {
    this.count('get');
    if (!this.#streamed.has(key)) {
      return super.get(key);
    }
    const path = this.#pathOf(key);
    const body = createReadStream(path, { highWaterMark: READ_BYTES });
    return Promise.resolve({ sizeBytes: statSync(path).size, etag: '"file"', body });
  }

  override head(key: string) {
    this.count('get');
    return super.head(key);
  }

  override create(key: string, body: Uint8Array) {
    this.count('put');
    return super.create(key, body);
  }

  override put(key: string, body: Uint8Array): Promise<void> {
    this.count('put');
    return super.put(key, body);
  }

  override async createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject> {
    const outcome = await this.create(key, new Uint8Array());
    return { outcome, ...(await this.#write(key, body)) };
  }

  override async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    await this.put(key, new Uint8Array());
    await this.#write(key, body);
  }

  /** Takes over what another process has streamed into the directory. */
  adopt(key: string): Promise<unknown> {
    this.#streamed.add(key);
    return super.create(key, new Uint8Array());
  }

  override async *list(prefix: string, options?: ListOptions) {
    yield* this.counted(super.list(prefix, options));
  }

  /** One request for each page. */
  protected async *counted<T>(listed: AsyncIterable<T>): AsyncGenerator<T> {
    let onPage = 0;
    this.count('list');
    for await (const each of listed) {
      if (onPage === LISTED_AT_ONCE) {
        this.count('list');
        onPage = 0;
      }
      onPage += 1;
      yield each;
    }
  }

  protected count(request: string): void {
    this.requests[request] = (this.requests[request] ?? 0) + 1;
  }

  async #write(key: string, body: AsyncIterable<Uint8Array>): Promise<{ sha256: string; sizeBytes: number }> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(this.#pathOf(key), 'w');
    try {
      for await (const chunk of body) {
        hash.update(chunk);
        sizeBytes += chunk.byteLength;
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    this.#streamed.add(key);
    return { sha256: hash.digest('hex'), sizeBytes };
  }

  #pathOf(key: string): string {
    return join(this.#directory, createHash('sha256').update(key).digest('hex'));
  }
}
