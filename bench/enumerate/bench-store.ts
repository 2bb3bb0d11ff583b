import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObject, StreamedObject } from '../../core/ports/object-store.ts';
import { InMemoryObjectStore } from '../../test/support/in-memory-object-store.ts';

/**
 * A bucket that takes no memory that grows with its objects, so that peak memory is the engine's: streamed objects that are to be
 * read lie in a directory, and what is put is drained, as if it were sent away. Small objects stay in memory.
 */
export class BenchStore extends InMemoryObjectStore {
  readonly #directory: string;

  constructor(directory: string) {
    super();
    this.#directory = directory;
  }

  override get(key: string): Promise<StoredObject | undefined> {
    const path = this.pathOf(key);
    if (!existsSync(path)) {
      return super.get(key);
    }
    const body = createReadStream(path, { highWaterMark: READ_BYTES });
    return Promise.resolve({ sizeBytes: statSync(path).size, etag: '"file"', body });
  }

  override async createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const file = await open(this.pathOf(key), 'wx');
    try {
      for await (const chunk of body) {
        hash.update(chunk);
        sizeBytes += chunk.byteLength;
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    return { outcome: 'created', sha256: hash.digest('hex'), sizeBytes };
  }

  override async putStream(_key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const _chunk of body) {
      // Sent away.
    }
  }

  /** The file of a streamed object. */
  pathOf(key: string): string {
    return join(this.#directory, encodeURIComponent(key));
  }
}

const READ_BYTES = 262_144;
