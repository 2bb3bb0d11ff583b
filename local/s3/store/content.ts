import { closeSync, write } from 'node:fs';
import * as z from 'zod/mini';

/** Some bytes of one blob. */
export interface Segment {
  readonly blobId: number;
  readonly offset: number;
  readonly length: number;
}

/** The bytes of an object: runs of shared blobs, one after another. Nothing at all for an empty object. */
export type Content = readonly Segment[];

/** Bytes that were received and belong to no version yet. */
export type Incoming =
  | { readonly kind: 'inline'; readonly sizeBytes: number; readonly data: Buffer }
  | { readonly kind: 'file'; readonly sizeBytes: number; readonly blobId: number };

const storedContent = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** `[[blob, offset, length], ...]`: how a content is kept in the index. */
export function encodeContent(content: Content): string {
  return JSON.stringify(content.map(({ blobId, offset, length }) => [blobId, offset, length]));
}

export function decodeContent(text: string): Content {
  if (text === '[]') return [];
  return storedContent.parse(JSON.parse(text)).map(([blobId, offset, length]) => ({ blobId, offset, length }));
}

/** The bytes `[start, end)` of a content, without reading any. */
export function sliceContent(content: Content, start: number, end: number): Content {
  const slice: Segment[] = [];
  let position = 0;
  for (const { blobId, offset, length } of content) {
    const from = Math.max(start, position);
    const to = Math.min(end, position + length);
    if (from < to) slice.push({ blobId, offset: offset + from - position, length: to - from });
    position += length;
  }
  return slice;
}

/** A blob file while it is written, chunk after chunk. */
export class IncomingBlob {
  readonly blobId: number;
  readonly #descriptor: number;
  #position = 0;
  #pending: Promise<void> | undefined;

  constructor(blobId: number, descriptor: number) {
    this.blobId = blobId;
    this.#descriptor = descriptor;
  }

  /** Resolves when the chunk is with the operating system: that is the backpressure. One at a time. */
  write(chunk: Buffer): Promise<void> {
    this.#pending = this.#writeAll(chunk);
    return this.#pending;
  }

  /** Waits for a write that is under way, so that its descriptor is not another file's when it lands. */
  async close(): Promise<Incoming> {
    await Promise.allSettled([this.#pending]);
    closeSync(this.#descriptor);
    return { kind: 'file', sizeBytes: this.#position, blobId: this.blobId };
  }

  async #writeAll(chunk: Buffer): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      const written = await this.#writeOnce(rest);
      this.#position += written;
      rest = rest.subarray(written);
    }
  }

  #writeOnce(chunk: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#descriptor, chunk, 0, chunk.length, this.#position, (error, written) => {
        if (error === null) resolve(written);
        else reject(error);
      });
    });
  }
}
