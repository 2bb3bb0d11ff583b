import type * as z from 'zod/mini';
import { jsonBytes, parseJson, parseVersioned } from './format.ts';
import type { ObjectStore } from './ports/object-store.ts';

/** Small JSON objects in a store: read whole, parsed at once. */
export async function readJson<S extends z.ZodMiniType>(
  store: ObjectStore,
  key: string,
  schema: S,
): Promise<{ readonly value: z.output<S>; readonly etag: string } | undefined> {
  const object = await store.get(key);
  if (object === undefined) {
    return undefined;
  }
  const text = await textOf(object.body);
  return { value: parseVersioned(schema, parseJson(text, key), key), etag: object.etag };
}

export function createJson(store: ObjectStore, key: string, value: unknown): Promise<'created' | 'exists'> {
  return store.create(key, jsonBytes(value));
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
