import type { ListedVersion } from '../ports/vault-versions.ts';
import { compareUtf8 } from '../utf8-order.ts';

/** All versions and delete markers of one key, the current one first. */
export interface VersionGroup {
  readonly key: string;
  readonly versions: readonly ListedVersion[];
}

/** Reads a listing key by key, in lockstep with a manifest; memory holds the versions of one key. */
export class VersionGroups {
  readonly #listed: AsyncIterator<ListedVersion>;
  #next: ListedVersion | undefined;
  #begun = false;

  constructor(listed: AsyncIterable<ListedVersion>) {
    this.#listed = listed[Symbol.asyncIterator]();
  }

  /** The next key, if it is before `key` or the same; every key when there is none. */
  async upTo(key: string | undefined): Promise<VersionGroup | undefined> {
    const first = await this.#peek();
    if (first === undefined || (key !== undefined && compareUtf8(first.key, key) > 0)) {
      return undefined;
    }
    const versions: ListedVersion[] = [];
    for (let next: ListedVersion | undefined = first; next?.key === first.key; next = await this.#advance()) {
      versions.push(next);
    }
    return { key: first.key, versions };
  }

  /** The versions of exactly this key; those of keys before it are passed over. */
  async at(key: string): Promise<readonly ListedVersion[]> {
    for (let group = await this.upTo(key); group !== undefined; group = await this.upTo(key)) {
      if (group.key === key) {
        return group.versions;
      }
    }
    return [];
  }

  async close(): Promise<void> {
    await this.#listed.return?.(undefined);
  }

  async #peek(): Promise<ListedVersion | undefined> {
    return this.#begun ? this.#next : this.#advance();
  }

  async #advance(): Promise<ListedVersion | undefined> {
    this.#begun = true;
    const next = await this.#listed.next();
    this.#next = next.done === true ? undefined : next.value;
    return this.#next;
  }
}
