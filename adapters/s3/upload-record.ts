import * as z from 'zod/mini';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { readBytes } from './read-bytes.ts';

const uploadRecordSchema = z.object({
  formatVersion: z.literal(1),
  uploadId: z.string(),
  key: z.string(),
  token: z.string(),
  sizeBytes: z.int(),
  rangeSizeBytes: z.int().check(z.positive()),
});

/** A multipart copy under way, so that the next try goes on with it. */
export type UploadRecord = z.infer<typeof uploadRecordSchema>;

/** What is not readable, or of another format, is as good as no record: the copy then starts again. */
export async function readUploadRecord(work: ObjectStore, recordKey: string): Promise<UploadRecord | undefined> {
  const stored = await work.get(recordKey);
  if (stored === undefined) {
    return undefined;
  }
  const parsed = uploadRecordSchema.safeParse(parseJson((await readBytes(stored.body)).toString('utf8')));
  return parsed.success ? parsed.data : undefined;
}

export async function writeUploadRecord(work: ObjectStore, recordKey: string, record: UploadRecord): Promise<void> {
  await work.put(recordKey, Buffer.from(JSON.stringify(record)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
