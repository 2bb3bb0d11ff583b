import { createHash } from 'node:crypto';
import type {
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  StoredObject,
  StreamedObject,
} from '../../core/ports/object-store.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

interface Kept {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly versionId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A bucket in memory. Passes the same contract suite as `S3ObjectStore`. */
export class InMemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, Kept>();
  #writes = 0;

  get(key: string): Promise<StoredObject | undefined> {
    const kept = this.#objects.get(key);
    return Promise.resolve(kept === undefined ? undefined : { ...headOf(kept), body: chunksOf(kept.body) });
  }

  head(key: string): Promise<ObjectHead | undefined> {
    const kept = this.#objects.get(key);
    return Promise.resolve(kept === undefined ? undefined : headOf(kept));
  }

  create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(key)) {
      return Promise.resolve('exists');
    }
    this.#keep(key, body);
    return Promise.resolve('created');
  }

  async createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject> {
    const bytes = await collect(body);
    const outcome = await this.create(key, bytes);
    return { outcome, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.byteLength };
  }

  put(key: string, body: Uint8Array): Promise<void> {
    this.#keep(key, body);
    return Promise.resolve();
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#keep(key, await collect(body));
  }

  replace(key: string, body: Uint8Array, etag: string): Promise<'replaced' | 'lost'> {
    if (this.#objects.get(key)?.etag !== etag) {
      return Promise.resolve('lost');
    }
    this.#keep(key, body);
    return Promise.resolve('replaced');
  }

  deleteIfMatch(key: string, etag: string): Promise<'deleted' | 'lost'> {
    if (this.#objects.get(key)?.etag !== etag) {
      return Promise.resolve('lost');
    }
    this.#objects.delete(key);
    return Promise.resolve('deleted');
  }

  delete(key: string): Promise<void> {
    this.#objects.delete(key);
    return Promise.resolve();
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject> {
    const after = options.startAfter;
    const keys = [...this.#objects.keys()].filter(
      (key) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0),
    );
    for (const key of keys.sort(compareUtf8)) {
      const kept = this.#objects.get(key);
      if (kept !== undefined) {
        yield { key, sizeBytes: kept.body.byteLength, etag: kept.etag };
      }
    }
  }

  /** All keys in UTF-8 order, for tests that look at what is there. */
  keys(): readonly string[] {
    return [...this.#objects.keys()].sort(compareUtf8);
  }

  /** As `create`, with user metadata, which S3 keeps in lower case. */
  createWith(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>>): Promise<'created' | 'exists'> {
    if (this.#objects.has(key)) {
      return Promise.resolve('exists');
    }
    this.#keep(key, body, metadata);
    return Promise.resolve('created');
  }

  metadataOf(key: string): Readonly<Record<string, string>> {
    return this.#objects.get(key)?.metadata ?? {};
  }

  /** ETags are opaque and never repeat, so that no test comes to rely on equal bytes having equal ETags. */
  #keep(key: string, body: Uint8Array, metadata: Readonly<Record<string, string>> = {}): void {
    this.#writes += 1;
    this.#objects.set(key, {
      body: Uint8Array.from(body),
      etag: `"memory-${this.#writes}"`,
      versionId: `v${this.#writes}`,
      metadata,
    });
  }
}

function headOf(kept: Kept): ObjectHead {
  return { sizeBytes: kept.body.byteLength, etag: kept.etag, versionId: kept.versionId };
}

/** Several chunks, as a network gives them. */
async function* chunksOf(body: Uint8Array): AsyncIterable<Uint8Array> {
  const half = Math.ceil(body.byteLength / 2);
  yield body.slice(0, half);
  if (half < body.byteLength) {
    yield body.slice(half);
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(Uint8Array.from(chunk));
  }
  return Buffer.concat(chunks);
}
