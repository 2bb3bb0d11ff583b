import pMap from 'p-map';
import type { PartLine } from '../manifest.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import { partKey } from '../vault-layout.ts';
import type { RankPlace } from './committed-manifest.ts';
import { extraVersions, judgeVersions } from './judge-version.ts';
import type { Sighting } from './sightings.ts';
import { VersionGroups } from './version-groups.ts';

/** Lookups of rewritten keys that are gathered before they are sent, and those sent at a time. */
const GATHERED_LOOKUPS = 200;
const LOOKUPS_AT_A_TIME = 16;

/**
 * Joins a manifest with listings of all versions, one for each directory whose bytes are looked at. The snapshot's own directory is
 * followed from the first key to the last, because what nothing names is told as well; the others are opened when a line first needs
 * them. Memory holds the versions of one key of each, and the rewritten parts that wait for their lookups.
 */
export class PresentJoin {
  readonly #versions: VaultVersions;
  readonly #place: RankPlace;
  readonly #own: VersionGroups;
  readonly #others = new Map<string, VersionGroups>();
  readonly #see: (sighting: Sighting) => void;
  #rewritten: PartLine[] = [];
  #last: string | undefined;

  /** @param after the last path that an earlier invocation has looked at */
  constructor(
    versions: VaultVersions,
    place: RankPlace,
    options: { readonly after: string | undefined; readonly see: (sighting: Sighting) => void },
  ) {
    this.#versions = versions;
    this.#place = place;
    this.#last = options.after;
    this.#see = options.see;
    this.#own = this.#open(place.snapshot);
  }

  /** Takes what lies before this path in the snapshot's own directory, one key at a time. @returns undefined when nothing is left */
  async passBefore(path: string | undefined): Promise<string | undefined> {
    const end = path === undefined ? undefined : this.#keyOf(this.#place.snapshot, path);
    const group = await this.#own.upTo(end);
    if (group === undefined || group.key === end) {
      this.#held = group?.versions ?? [];
      return undefined;
    }
    this.#seeAll(extraVersions(this.#place, group.versions, undefined));
    this.#last = group.key.slice(this.#keyOf(this.#place.snapshot, '').length);
    return this.#last;
  }

  /** Own versions of the path that `passBefore` came to. */
  #held: Awaited<ReturnType<VersionGroups['at']>> = [];

  /**
   * Compares one line with what is there. `passBefore` has come to its path.
   * @param line undefined where the manifest has a directory, or a part whose bytes this unit does not look at
   */
  async look(path: string, line: PartLine | undefined): Promise<void> {
    const { snapshot, rank } = this.#place;
    const own = this.#held;
    this.#held = [];
    const isOwn = line !== undefined && line.key === undefined && line.in === snapshot;
    this.#seeAll(extraVersions(this.#place, own, isOwn ? line.versionId : undefined));
    if (line?.key !== undefined) {
      this.#rewritten.push(line);
      await this.flush(GATHERED_LOOKUPS);
    } else if (line !== undefined) {
      const key = this.#keyOf(line.in, line.path);
      const versions = isOwn ? own : await this.#listing(line.in).at(key);
      this.#seeAll(judgeVersions({ snapshot, rank, line, key }, versions));
    }
    this.#last = path;
  }

  /** Looks up rewritten parts when so many have gathered. */
  async flush(atLeast = 1): Promise<void> {
    if (this.#rewritten.length >= atLeast) {
      const lines = this.#rewritten;
      this.#rewritten = [];
      const looked = await pMap(lines, (line) => this.#lookUp(line, line.key ?? ''), {
        concurrency: LOOKUPS_AT_A_TIME,
      });
      this.#seeAll(looked.flat());
    }
  }

  async close(): Promise<void> {
    for (const groups of [this.#own, ...this.#others.values()]) {
      await groups.close();
    }
  }

  async #lookUp(line: PartLine, key: string): Promise<readonly Sighting[]> {
    const { snapshot, rank } = this.#place;
    const groups = new VersionGroups(this.#versions.listVersions(key));
    try {
      return judgeVersions({ snapshot, rank, line, key }, await groups.at(key));
    } finally {
      await groups.close();
    }
  }

  #listing(directory: string): VersionGroups {
    const opened = this.#others.get(directory) ?? this.#open(directory);
    this.#others.set(directory, opened);
    return opened;
  }

  #open(directory: string): VersionGroups {
    const prefix = this.#keyOf(directory, '');
    const after = this.#last;
    return new VersionGroups(
      after === undefined
        ? this.#versions.listVersions(prefix)
        : this.#versions.listVersions(prefix, `${prefix}${after}`),
    );
  }

  #keyOf(directory: string, path: string): string {
    return partKey(this.#place.backup, directory, this.#place.rank, path);
  }

  #seeAll(sightings: Iterable<Sighting>): void {
    for (const sighting of sightings) {
      this.#see(sighting);
    }
  }
}
