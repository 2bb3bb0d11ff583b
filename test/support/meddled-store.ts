import type { LockedVersion, VersionName } from '../../core/ports/vault-versions.ts';
import { InMemoryObjectStore } from './in-memory-object-store.ts';

type Operation = 'get' | 'create' | 'replace' | 'hide' | 'listVersions' | 'deleteVersions';

interface Meddling {
  readonly operation: Operation;
  readonly keyPart: string;
  readonly act: () => Promise<unknown>;
}

/** A bucket in which a test lets somebody else act right before one of the operations of the code under test. */
export class MeddledStore extends InMemoryObjectStore {
  readonly #waiting: Meddling[] = [];

  /** Acts once, before the next such operation on a key (or a prefix) that contains `keyPart`. */
  before(operation: Operation, keyPart: string, act: () => Promise<unknown>): void {
    this.#waiting.push({ operation, keyPart, act });
  }

  override async get(key: string) {
    await this.#meddle('get', key);
    return super.get(key);
  }

  override async create(key: string, body: Uint8Array) {
    await this.#meddle('create', key);
    return super.create(key, body);
  }

  override async replace(key: string, body: Uint8Array, etag: string) {
    await this.#meddle('replace', key);
    return super.replace(key, body, etag);
  }

  override async hide(key: string) {
    await this.#meddle('hide', key);
    return super.hide(key);
  }

  override async *listVersions(prefix: string, after?: string) {
    await this.#meddle('listVersions', prefix);
    yield* super.listVersions(prefix, after);
  }

  override async deleteVersions(versions: readonly VersionName[]): Promise<readonly LockedVersion[]> {
    for (const { key } of versions) {
      await this.#meddle('deleteVersions', key);
    }
    return super.deleteVersions(versions);
  }

  async #meddle(operation: Operation, key: string): Promise<void> {
    const at = this.#waiting.findIndex((each) => each.operation === operation && key.includes(each.keyPart));
    const [meddling] = at < 0 ? [] : this.#waiting.splice(at, 1);
    await meddling?.act();
  }
}
