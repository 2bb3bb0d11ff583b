import { Readable } from 'node:stream';

/** All bytes of a body. For small objects only: locks, markers, records. */
export async function readBytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The chunks of a response's body; none where there is no body. */
export async function* byteChunks(body: unknown): AsyncIterable<Uint8Array> {
  if (!(body instanceof Readable)) {
    return;
  }
  for await (const chunk of body) {
    if (chunk instanceof Uint8Array) {
      yield chunk;
    }
  }
}
