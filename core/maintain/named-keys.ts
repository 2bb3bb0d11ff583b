import * as z from 'zod/mini';
import { readWorkLines } from '../draft-io.ts';
import { streamOf } from '../draft-writer.ts';
import { parseOrCorrupt } from '../format.ts';
import { gzipJsonLines } from '../jsonl.ts';
import { isDirectoryLine } from '../manifest.ts';
import { assertDigest, readManifest, readRanks } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ListedVersion } from '../ports/vault-versions.ts';
import type { RankLine } from '../records.ts';
import { manifestKey, snapshotPrefix } from '../vault-layout.ts';
import type { Gathered, GatheringNames } from './gathering.ts';
import type { Unit } from './units.ts';

/**
 * Keys that are not natural are in no order of paths, so that they are gathered before the listing: at most so many, some 20 MB. With
 * more of them nothing is freed there.
 */
export const MOST_NAMED_KEYS = 100_000;

const namedVersionSchema = z.object({ key: z.string(), versionId: z.string() });

interface GatherRequest {
  readonly unit: Unit;
  readonly gathered: Gathered | undefined;
  /** Where this invocation may write. */
  readonly pieceKey: string;
  readonly shouldStop: () => boolean;
}

/** The versions below the directory that manifests name by their whole key. */
export class NamedKeys implements GatheringNames {
  readonly #deps: { readonly vault: ObjectStore; readonly work: ObjectStore };
  readonly #request: GatherRequest;
  readonly #names = new Set<string>();
  readonly #keys = new Set<string>();
  readonly #fresh: z.infer<typeof namedVersionSchema>[] = [];
  #manifests = 0;
  #complete = false;

  constructor(deps: { readonly vault: ObjectStore; readonly work: ObjectStore }, request: GatherRequest) {
    this.#deps = deps;
    this.#request = request;
    this.#manifests = request.gathered?.manifests ?? 0;
    this.#complete = request.gathered?.complete ?? false;
  }

  get manifestsRead(): number {
    return this.#manifests;
  }

  /** Too many to hold: all of them count as named. */
  get #tooMany(): boolean {
    return this.#names.size > MOST_NAMED_KEYS;
  }

  /** @returns false when time ran out before every manifest was read; a manifest is read whole, or not at all */
  async gather(): Promise<boolean> {
    const { unit, gathered, shouldStop } = this.#request;
    for (const piece of gathered?.pieces ?? []) {
      for await (const value of readWorkLines(this.#deps.work, piece)) {
        this.#add(parseOrCorrupt(namedVersionSchema, value, piece));
      }
    }
    let number = 0;
    let read = 0;
    for await (const { snapshot, line } of this.#complete ? [] : manifestsOf(this.#deps.vault, unit)) {
      number += 1;
      if (number > this.#manifests && !this.#tooMany) {
        if (read > 0 && shouldStop()) {
          return false;
        }
        await this.#read(snapshot, line);
        this.#manifests = number;
        read += 1;
      }
    }
    this.#complete = true;
    return true;
  }

  has(version: Pick<ListedVersion, 'key' | 'versionId'>): Promise<boolean> {
    return Promise.resolve(this.#tooMany || this.#names.has(nameOf(version)));
  }

  hasKey(key: string): Promise<boolean> {
    return Promise.resolve(this.#tooMany || this.#keys.has(key));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** For the next invocation. */
  async save(): Promise<Gathered> {
    const { gathered, pieceKey } = this.#request;
    const pieces = [...(gathered?.pieces ?? [])];
    if (this.#fresh.length > 0) {
      await this.#deps.work.putStream(pieceKey, gzipJsonLines(streamOf(this.#fresh)));
      pieces.push(pieceKey);
    }
    return { manifests: this.#manifests, complete: this.#complete, pieces };
  }

  async #read(snapshot: string, { rank, sha256 }: RankLine): Promise<void> {
    const { unit } = this.#request;
    const prefix = `${snapshotPrefix(unit.backup, unit.directory)}${unit.part}/`;
    await assertDigest(this.#deps.vault, manifestKey(unit.backup, snapshot, rank), sha256);
    for await (const line of readManifest(this.#deps.vault, { backup: unit.backup, snapshot, rank })) {
      if (!isDirectoryLine(line) && line.key?.startsWith(prefix)) {
        const named = { key: line.key, versionId: line.versionId };
        const before = this.#names.size;
        this.#add(named);
        if (this.#names.size > before) {
          this.#fresh.push(named);
        }
      }
    }
  }

  #add(named: z.infer<typeof namedVersionSchema>): void {
    this.#names.add(nameOf(named));
    this.#keys.add(named.key);
  }
}

/** Always in the same order, so that a number says where to go on. */
async function* manifestsOf(
  vault: ObjectStore,
  { backup, directory, referrers }: Unit,
): AsyncGenerator<{ readonly snapshot: string; readonly line: RankLine }> {
  for (const { snapshot } of referrers) {
    for await (const line of readRanks(vault, backup, snapshot)) {
      if (line.in.some((each) => each.snapshot === directory)) {
        yield { snapshot, line };
      }
    }
  }
}

/** Version ids have no spaces (S3 API reference: URL-ready). */
function nameOf({ key, versionId }: Pick<ListedVersion, 'key' | 'versionId'>): string {
  return `${versionId} ${key}`;
}
