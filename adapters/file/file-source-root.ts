import type { RankName } from '../../core/ids.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { MARKER_NAME } from '../roots/restore-marker.ts';
import type { SingleRoot } from '../roots/single-root.ts';
import { discoverFileRanks, listEntries } from './file-listing.ts';
import type { FileRoot } from './file-root.ts';
import { assertRootReadable, statIfPresent } from './plain-path.ts';

/** A directory of this machine as a snapshot reads it. */
export class FileSourceRoot implements SingleRoot {
  readonly name: string;
  readonly #root: FileRoot;
  readonly #clock: Clock;

  constructor(root: FileRoot, clock: Clock) {
    this.name = root.name;
    this.#root = root;
    this.#clock = clock;
  }

  /** @throws RootUnreadable, SpecialFile, PartPathInvalid, PathCollision */
  listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    return listEntries(
      { root: this.#root, rank, after, showTemporary: false },
      { root: this.#root, clock: this.#clock, specialFiles: 'refuse' },
    );
  }

  async discoverRanks(): Promise<readonly number[]> {
    return await discoverFileRanks(this.#root);
  }

  async hasRestoreMarker(): Promise<boolean> {
    await assertRootReadable(this.#root);
    return (await statIfPresent(this.#root, MARKER_NAME)) !== undefined;
  }
}
