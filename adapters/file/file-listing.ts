import { pMapIterable, pMapSkip } from 'p-map';
import type { LiveEntry } from '../../core/part.ts';
import { type EntryReader, readEntry } from './file-entry.ts';
import type { FileRoot } from './file-root.ts';
import { assertRootReadable, statPlain } from './plain-path.ts';
import { walkRank } from './tree-walk.ts';
import { namesOf, type Walk } from './walk-directory.ts';

/**
 * Files being opened and asked for their state ahead of the reader of a listing: hides the latency of a network file system (about
 * a millisecond a call on EFS) and bounds open files.
 */
const STATS_AHEAD = 64;

/** Entries of a rank in order; see `SourceRoots.listRank`. */
export async function* listEntries(walk: Walk, reader: EntryReader): AsyncGenerator<LiveEntry> {
  yield* pMapIterable(walkRank(walk), async (visit) => (await readEntry(reader, visit)) ?? pMapSkip, {
    concurrency: STATS_AHEAD,
  });
}

/**
 * Ranks that have a directory in the root, ascending; a root of one rank has it as soon as it holds anything.
 * @throws RootUnreadable
 */
export async function discoverFileRanks(root: FileRoot): Promise<readonly number[]> {
  const { pattern } = root;
  await assertRootReadable(root);
  if (pattern.fixedRank !== undefined) {
    return (await holdsAnything(root, pattern.fixedRank)) ? [pattern.fixedRank] : [];
  }
  const ranks: number[] = [];
  if (pattern.rankParent !== '' && !(await statPlain(root, pattern.rankParent))?.isDirectory()) {
    return ranks;
  }
  const names = await namesOf(root, pattern.rankParent);
  for (const key of names?.keys ?? []) {
    const rank = key.endsWith('/') ? pattern.rankOf(key.slice(0, -1)) : undefined;
    if (rank !== undefined && !root.excluded(`${pattern.rankParent}${key}`)) {
      ranks.push(rank);
    }
  }
  return ranks.sort((left, right) => left - right);
}

async function holdsAnything(root: FileRoot, rank: number): Promise<boolean> {
  for await (const _visit of walkRank({ root, rank, after: undefined, showTemporary: false })) {
    return true;
  }
  return false;
}
