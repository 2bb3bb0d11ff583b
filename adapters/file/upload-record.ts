import * as z from 'zod/mini';
import { FORMAT_VERSION, formatVersionSchema } from '../../core/format.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { SourceToken } from '../../core/source-token.ts';
import { createJson, readJson } from '../../core/stored-json.ts';

/** A multipart upload under way, kept in the work bucket so that a later try goes on with it. */
const uploadRecordSchema = z.object({
  formatVersion: formatVersionSchema,
  /** Vault key that the upload will create. */
  key: z.string(),
  uploadId: z.string(),
  /** Version of the source part that is being uploaded. */
  token: z.string(),
});

interface UploadIdentity {
  readonly key: string;
  readonly token: SourceToken;
}

/** Where the id of one part's upload is kept. */
export class UploadRecordFile {
  readonly #work: ObjectStore;
  readonly #recordKey: string;

  constructor(work: ObjectStore, recordKey: string) {
    this.#work = work;
    this.#recordKey = recordKey;
  }

  /** @throws CatalogCorrupt, FormatTooNew */
  async read() {
    return await readJson(this.#work, this.#recordKey, uploadRecordSchema);
  }

  /** `exists` when a ghost of this step was faster: go on with its upload. */
  async create(identity: UploadIdentity, uploadId: string): Promise<'created' | 'exists'> {
    const { key, token } = identity;
    return await createJson(this.#work, this.#recordKey, { formatVersion: FORMAT_VERSION, key, uploadId, token });
  }

  /** Removes exactly the record that was read; a newer one stays. */
  async discard(etag: string): Promise<void> {
    await this.#work.deleteIfMatch(this.#recordKey, etag);
  }

  async delete(): Promise<void> {
    await this.#work.delete(this.#recordKey);
  }
}
