import { createHash } from 'node:crypto';

/** Cuts a stream into blocks of exactly `blockSizeBytes`, the last one shorter; an empty stream gives no block. */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  blockSizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks: Uint8Array[] = [];
  let collectedBytes = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (collectedBytes + rest.byteLength >= blockSizeBytes) {
      const cut = blockSizeBytes - collectedBytes;
      yield Buffer.concat([...chunks, rest.subarray(0, cut)]);
      rest = rest.subarray(cut);
      chunks = [];
      collectedBytes = 0;
    }
    if (rest.byteLength > 0) {
      // A copy: the source may use its buffer again while the block waits to be filled.
      chunks.push(Uint8Array.from(rest));
      collectedBytes += rest.byteLength;
    }
  }
  if (collectedBytes > 0) {
    yield Buffer.concat(chunks);
  }
}

/** Counts and digests what passes through. */
export class DigestedStream {
  readonly #hash = createHash('sha256');
  readonly #source: AsyncIterable<Uint8Array>;
  sizeBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of this.#source) {
      this.#hash.update(chunk);
      this.sizeBytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** Hex; once, after the last chunk. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
