import { setImmediate } from 'node:timers/promises';

/** All bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}

/** The text in chunks of a few bytes, as a network gives them. */
export async function* streamOf(bytes: Uint8Array | string, chunkSizeBytes = 7): AsyncIterable<Uint8Array> {
  const whole = Buffer.from(bytes);
  for (let offset = 0; offset < whole.byteLength; offset += chunkSizeBytes) {
    await setImmediate();
    yield whole.subarray(offset, offset + chunkSizeBytes);
  }
}

/** Bytes without a short period, the same for the same seed, so that a misplaced or repeated block shows. */
export function variedBytes(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let index = 0; index < sizeBytes; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}
