import type { RankName } from '../../core/ids.ts';
import type { FileAttributes, LiveDirectory, LiveEntry, LivePart } from '../../core/part.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

/** A source that lists what the test puts there: for tokens, racy marks and directories, which a tree in memory has none of. */
export class ListedSource implements SourceRoots {
  readonly ranks = new Map<RankName, LiveEntry[]>();
  readonly restoring: string[] = [];

  constructor(ranks: Readonly<Record<string, readonly LiveEntry[]>> = {}) {
    for (const [rank, entries] of Object.entries(ranks)) {
      this.ranks.set(rank === 'cluster' ? rank : Number(rank), [...entries]);
    }
  }

  async *listRank(rank: RankName, after: string | undefined): AsyncGenerator<LiveEntry> {
    const entries = (this.ranks.get(rank) ?? []).toSorted((left, right) => compareUtf8(left.path, right.path));
    for (const entry of entries) {
      if (after === undefined || compareUtf8(entry.path, after) > 0) {
        yield entry;
      }
    }
  }

  discoverRanks(): Promise<readonly number[]> {
    const numbers = [...this.ranks.keys()].filter((rank) => rank !== 'cluster');
    return Promise.resolve(numbers.sort((left, right) => left - right));
  }

  findRestoreMarkers(): Promise<readonly string[]> {
    return Promise.resolve(this.restoring);
  }
}

export const SAMPLE_ATTRIBUTES: FileAttributes = { mode: 0o640, uid: 1000, gid: 1000, mtimeNs: '1700000000000000000' };

/** A part of a file root as a listing saw it; the token says only what the test says. */
export function listedPart(path: string, change: Partial<LivePart> = {}): LivePart {
  return {
    kind: 'part',
    path,
    root: 'main',
    sizeBytes: 10,
    token: `file:10:1:1:${path}`,
    racy: false,
    attributes: SAMPLE_ATTRIBUTES,
    ...change,
  };
}

export function listedDirectory(path: string): LiveDirectory {
  return { kind: 'directory', path, root: 'main', attributes: { ...SAMPLE_ATTRIBUTES, mode: 0o750 } };
}
