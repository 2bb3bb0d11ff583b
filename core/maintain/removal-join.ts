import type { ListedVersion } from '../ports/vault-versions.ts';
import { compareUtf8 } from '../utf8-order.ts';

/** The versions of one key that manifests name. */
export interface NamedKey {
  readonly key: string;
  readonly versionIds: readonly string[];
}

/** Is this version named? Asked in the order of the listing, any number of times for a key. */
export interface NamedVersions {
  has(version: Pick<ListedVersion, 'key' | 'versionId'>): Promise<boolean>;
  /** Is any version of this key named, there or not? */
  hasKey(key: string): Promise<boolean>;
  close(): Promise<void>;
}

export const NOTHING_NAMED: NamedVersions = {
  has: () => Promise.resolve(false),
  hasKey: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

/**
 * Goes through what manifests name beside a listing; both are in UTF-8 order of the key. Holds one key. A key that is named and not
 * listed is passed over: that is Verify's matter.
 */
export class NamedStream implements NamedVersions {
  readonly #keys: AsyncIterator<NamedKey>;
  #current: NamedKey | undefined;
  #ended = false;

  constructor(keys: AsyncIterable<NamedKey>) {
    this.#keys = keys[Symbol.asyncIterator]();
  }

  async has({ key, versionId }: Pick<ListedVersion, 'key' | 'versionId'>): Promise<boolean> {
    return (await this.hasKey(key)) && this.#current?.versionIds.includes(versionId) === true;
  }

  async hasKey(key: string): Promise<boolean> {
    while (!this.#ended && (this.#current === undefined || compareUtf8(this.#current.key, key) < 0)) {
      const next = await this.#keys.next();
      this.#ended = next.done === true;
      this.#current = next.done === true ? undefined : next.value;
    }
    return this.#current?.key === key;
  }

  async close(): Promise<void> {
    await this.#keys.return?.(undefined);
  }
}

/** What becomes of a listed version or delete marker. */
export type Fate =
  /** Nothing that is kept names it. */
  | 'free'
  /** A kept manifest names it. */
  | 'named'
  /** Repair: a delete marker over a named version. */
  | 'marker'
  /** Repair: a version that lies over a named one; nobody but a person can say which is right. */
  | 'overlaid'
  /** Beside a live snapshot: under a key whose named version is missing or not the current one. It may be all that is left of the part. */
  | 'doubtful'
  | 'passed';

export interface Judged {
  readonly version: ListedVersion;
  readonly fate: Fate;
}

export async function* judgeForRemoval(
  versions: AsyncIterable<ListedVersion>,
  named: NamedVersions,
): AsyncGenerator<Judged> {
  for await (const version of versions) {
    const isNamed = version.kind === 'version' && (await named.has(version));
    yield { version, fate: isNamed ? 'named' : 'free' };
  }
}

/**
 * As `judgeForRemoval`, beside a live snapshot, whose parts are not to be lost for good: where the current version of a key that is named
 * is not a named one, somebody has to look before anything of the key goes. Held are the versions of one key.
 */
export async function* judgeBesideLive(
  versions: AsyncIterable<ListedVersion>,
  named: NamedVersions,
): AsyncGenerator<Judged> {
  let group: ListedVersion[] = [];
  for await (const version of versions) {
    if (group.length > 0 && group[0]?.key !== version.key) {
      yield* judgeKey(group, named);
      group = [];
    }
    group.push(version);
  }
  yield* judgeKey(group, named);
}

async function* judgeKey(group: readonly ListedVersion[], named: NamedVersions): AsyncGenerator<Judged> {
  const judged: { readonly version: ListedVersion; readonly isNamed: boolean }[] = [];
  for (const version of group) {
    judged.push({ version, isNamed: version.kind === 'version' && (await named.has(version)) });
  }
  const sound = judged.some(({ version, isNamed }) => isNamed && version.isLatest);
  const [first] = group;
  const others = sound || first === undefined || !(await named.hasKey(first.key)) ? 'free' : 'doubtful';
  for (const { version, isNamed } of judged) {
    yield { version, fate: isNamed ? 'named' : others };
  }
}

/**
 * What will be free when only `staying` are kept. Delete markers weigh nothing.
 * @param leaving only what these name. @default - whatever is not named any more
 */
export async function* judgeForesight(
  versions: AsyncIterable<ListedVersion>,
  staying: NamedVersions,
  leaving: NamedVersions | undefined,
): AsyncGenerator<Judged> {
  for await (const version of versions) {
    if (version.kind !== 'version') {
      yield { version, fate: 'passed' };
    } else if (await staying.has(version)) {
      yield { version, fate: 'named' };
    } else {
      yield { version, fate: leaving === undefined || (await leaving.has(version)) ? 'free' : 'passed' };
    }
  }
}

/**
 * Delete markers that lie over a named version, with nothing between them. Held is what lies over the first named version of one key.
 */
export async function* judgeForRepair(
  versions: AsyncIterable<ListedVersion>,
  named: NamedVersions,
): AsyncGenerator<Judged> {
  let over: ListedVersion[] = [];
  let key: string | undefined;
  let found = false;
  for await (const version of versions) {
    if (version.key !== key) {
      yield* passed(over);
      [over, key, found] = [[], version.key, false];
    }
    if (version.kind === 'version' && (await named.has(version))) {
      yield* found ? [] : uncovered(over);
      [over, found] = [[], true];
      yield { version, fate: 'named' };
    } else if (found) {
      yield { version, fate: 'passed' };
    } else {
      over.push(version);
    }
  }
  yield* passed(over);
}

function* passed(versions: readonly ListedVersion[]): Generator<Judged> {
  for (const version of versions) {
    yield { version, fate: 'passed' };
  }
}

/** With a stranger in between, taking markers away would show the stranger. */
function* uncovered(over: readonly ListedVersion[]): Generator<Judged> {
  const stranger = over.find(({ kind }) => kind === 'version');
  for (const version of over) {
    const covered = version === stranger ? 'overlaid' : 'passed';
    yield { version, fate: stranger === undefined ? 'marker' : covered };
  }
}
