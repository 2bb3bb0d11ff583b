import type { ListedVersion, VersionName } from '../ports/vault-versions.ts';
import { compareUtf8 } from '../utf8-order.ts';

/** Looks versions up in a listing, in the order of their keys; memory holds one of them. */
export class VersionCursor {
  readonly #versions: AsyncIterator<ListedVersion>;
  #current: ListedVersion | undefined;

  constructor(versions: AsyncIterable<ListedVersion>) {
    this.#versions = versions[Symbol.asyncIterator]();
  }

  /**
   * @param name of a key that is not before that of the last call, and not the same
   * @returns undefined when the key has no such version, or it is a delete marker
   */
  async find(name: VersionName): Promise<ListedVersion | undefined> {
    let found: ListedVersion | undefined;
    for (let next = await this.#peek(); next !== undefined; next = await this.#peek()) {
      const order = compareUtf8(next.key, name.key);
      if (order > 0) {
        break;
      }
      if (order === 0 && next.versionId === name.versionId && next.kind === 'version') {
        found = next;
      }
      this.#current = undefined;
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#versions.return?.(undefined);
  }

  async #peek(): Promise<ListedVersion | undefined> {
    if (this.#current === undefined) {
      const next = await this.#versions.next();
      this.#current = next.done === true ? undefined : next.value;
    }
    return this.#current;
  }
}
