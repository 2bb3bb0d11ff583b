import { StringDecoder } from 'node:string_decoder';
import type * as z from 'zod/mini';
import { RecordMissing } from '../errors.ts';
import { parseJson, parseOrCorrupt } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/**
 * Values of a JSON Lines object of the work bucket, the kind that a Map reads its items from; memory holds a chunk.
 * @throws RecordMissing
 */
export async function* readPlainLines<S extends z.ZodMiniType>(
  work: ObjectStore,
  key: string,
  schema: S,
): AsyncGenerator<z.output<S>> {
  const object = await work.get(key);
  if (object === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the execution again.' });
  }
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const bytes of object.body) {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      yield parseOrCorrupt(schema, parseJson(line, key), key);
    }
  }
}
