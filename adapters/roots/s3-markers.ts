import { RestoreInProgress } from '../../core/errors.ts';
import type { RestoreMarker } from '../../core/ports/restore-target.ts';
import { readBytes } from '../s3/read-bytes.ts';
import { S3ObjectStore } from '../s3/s3-object-store.ts';
import { formatMarker, MARKER_NAME, nextMarker, parseMarker } from './restore-marker.ts';
import type { S3RootLocation } from './s3-root-location.ts';

interface PresentMarker {
  readonly etag: string;
  readonly json: string;
}

/** The restore marker of one S3 root; every change is conditional on what was read. */
export class S3RestoreMarker {
  readonly #store: S3ObjectStore;
  readonly #key: string;
  readonly #where: string;

  constructor(location: S3RootLocation) {
    this.#store = new S3ObjectStore(location);
    this.#key = location.prefix + MARKER_NAME;
    this.#where = `root ${location.name} (s3://${location.bucket}/${location.prefix})`;
  }

  async exists(): Promise<boolean> {
    return (await this.#store.head(this.#key)) !== undefined;
  }

  async read(): Promise<RestoreMarker | undefined> {
    const present = await this.#get();
    return present === undefined ? undefined : parseMarker(present.json, this.#where);
  }

  /** @throws RestoreInProgress, CatalogCorrupt, FormatTooNew */
  async write(marker: RestoreMarker): Promise<void> {
    const present = await this.#get();
    const wanted = nextMarker(present === undefined ? undefined : parseMarker(present.json, this.#where), marker);
    const json = formatMarker(wanted);
    if (present?.json === json) {
      return;
    }
    const bytes = Buffer.from(json);
    const outcome =
      present === undefined
        ? await this.#store.create(this.#key, bytes)
        : await this.#store.replace(this.#key, bytes, present.etag);
    const lost = outcome === 'exists' || outcome === 'lost';
    if (lost && (await this.#get())?.json !== json) {
      throw new RestoreInProgress(`Another restore wrote its marker into ${this.#where} at the same moment.`, {
        hint: 'Look which restores of this cluster are running, wait for them, then start again.',
      });
    }
  }

  /** Another execution's marker, or one written since, stays. */
  async remove(execution: string): Promise<void> {
    const present = await this.#get();
    if (present !== undefined && parseMarker(present.json, this.#where).execution === execution) {
      await this.#store.deleteIfMatch(this.#key, present.etag);
    }
  }

  async #get(): Promise<PresentMarker | undefined> {
    const stored = await this.#store.get(this.#key);
    if (stored === undefined) {
      return undefined;
    }
    return { etag: stored.etag, json: (await readBytes(stored.body)).toString('utf8') };
  }
}
