import type { ObjectStore } from '../../core/ports/object-store.ts';
import { bytesOf } from './byte-streams.ts';

/** Bytes of a key that must be there. */
export async function storeBytes(store: ObjectStore, key: string): Promise<Uint8Array> {
  const stored = await store.get(key);
  if (stored === undefined) {
    throw new Error(`Nothing is stored at ${key}.`);
  }
  return bytesOf(stored.body);
}
