import * as z from 'zod/mini';
import { readWorkLines } from '../draft-io.ts';
import { parseOrCorrupt } from '../format.ts';
import { gzipJsonLines } from '../jsonl.ts';
import { after } from '../ordered-join.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ListedVersion } from '../ports/vault-versions.ts';
import { partKey } from '../vault-layout.ts';
import type { Gathered, GatheringNames } from './gathering.ts';
import { assertManifests, mergedNaturalLines, type NamedPath, type RankPlace } from './named-lines.ts';
import { type NamedKey, NamedStream } from './removal-join.ts';

/**
 * Manifests that one pass goes through. So many are read beside a listing, too, and again by each invocation: above it they are
 * folded first, so that an invocation never has more to read than these and one spool before it can go on.
 */
export const FOLDED_AT_ONCE = 8;

/** Paths between two looks at the clock. */
const LOOK_EVERY = 10_000;

const namedPathSchema = z.object({ path: z.string(), versionIds: z.array(z.string()) });

interface SpoolRequest {
  readonly place: RankPlace;
  readonly gathered: Gathered | undefined;
  /** Where this invocation may write. */
  readonly pieceKey: string;
  readonly afterPath: string | undefined;
  readonly shouldStop: () => boolean;
}

/**
 * What many manifests of a rank name in a directory: folded into one spool of the work bucket, some manifests at a time. A spool is as
 * long as what the directory stored, however many manifests name it.
 */
export class NamedSpool implements GatheringNames {
  readonly #deps: { readonly vault: ObjectStore; readonly work: ObjectStore };
  readonly #request: SpoolRequest;
  #manifests: number;
  #spool: string | undefined;
  #stream: NamedStream | undefined;

  constructor(deps: { readonly vault: ObjectStore; readonly work: ObjectStore }, request: SpoolRequest) {
    this.#deps = deps;
    this.#request = request;
    this.#manifests = request.gathered?.manifests ?? 0;
    this.#spool = request.gathered?.pieces[0];
  }

  get manifestsRead(): number {
    return this.#manifests;
  }

  get #complete(): boolean {
    return this.#manifests >= this.#request.place.referrers.length;
  }

  /** An invocation folds once, however long it takes; what it begins after that it gives up when time runs out. */
  async gather(): Promise<boolean> {
    for (let folded = 0; !this.#complete; folded += 1) {
      const { shouldStop } = this.#request;
      const stop = folded === 0 ? () => false : shouldStop;
      if (stop() || !(await this.#fold(stop))) {
        return false;
      }
    }
    return true;
  }

  has(version: Pick<ListedVersion, 'key' | 'versionId'>): Promise<boolean> {
    return this.#open().has(version);
  }

  hasKey(key: string): Promise<boolean> {
    return this.#open().hasKey(key);
  }

  async close(): Promise<void> {
    await this.#stream?.close();
  }

  save(): Promise<Gathered> {
    const pieces = this.#spool === undefined ? [] : [this.#spool];
    return Promise.resolve({ manifests: this.#manifests, complete: this.#complete, pieces });
  }

  async #fold(stop: () => boolean): Promise<boolean> {
    const { place, pieceKey } = this.#request;
    const group = place.referrers.slice(this.#manifests, this.#manifests + FOLDED_AT_ONCE);
    await assertManifests(this.#deps.vault, { ...place, referrers: group });
    const before = this.#spool === undefined ? [] : [readSpool(this.#deps.work, this.#spool)];
    const merged = mergedNaturalLines(
      this.#deps.vault,
      { ...place, referrers: group },
      { before, afterPath: undefined },
    );
    const key = `${pieceKey}-${this.#manifests}`;
    const watched = new Watched(merged, stop);
    await this.#deps.work.putStream(key, gzipJsonLines(watched.lines()));
    if (watched.stopped) {
      return false;
    }
    this.#spool = key;
    this.#manifests += group.length;
    return true;
  }

  #open(): NamedStream {
    this.#stream ??= new NamedStream(this.#keys());
    return this.#stream;
  }

  async *#keys(): AsyncGenerator<NamedKey> {
    const { place, afterPath } = this.#request;
    if (this.#spool !== undefined) {
      for await (const { path, versionIds } of after(readSpool(this.#deps.work, this.#spool), afterPath)) {
        yield { key: partKey(place.backup, place.directory, place.rank, path), versionIds };
      }
    }
  }
}

/** Ends early when told to; what was written by then is nobody's. */
class Watched {
  readonly #lines: AsyncIterable<NamedPath>;
  readonly #stop: () => boolean;
  stopped = false;

  constructor(lines: AsyncIterable<NamedPath>, stop: () => boolean) {
    this.#lines = lines;
    this.#stop = stop;
  }

  async *lines(): AsyncGenerator<NamedPath> {
    let number = 0;
    for await (const line of this.#lines) {
      number += 1;
      if (number % LOOK_EVERY === 0 && this.#stop()) {
        this.stopped = true;
        return;
      }
      yield line;
    }
  }
}

async function* readSpool(work: ObjectStore, key: string): AsyncGenerator<NamedPath> {
  for await (const value of readWorkLines(work, key)) {
    yield parseOrCorrupt(namedPathSchema, value, key);
  }
}
