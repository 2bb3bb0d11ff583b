import type { BigIntStats } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pMapIterable, pMapSkip } from 'p-map';
import { epochMillisOfDirectory } from '../../core/ids.ts';
import type { KagentCandidate } from '../../core/kagent.ts';
import { compileRootPattern } from '../../core/root-pattern.ts';
import { compileExcludes } from '../roots/excludes.ts';
import type { FileRoot } from './file-root.ts';
import type { KagentStorage } from './kagent-storage.ts';
import { statIfPresent } from './plain-path.ts';
import { walkRank } from './tree-walk.ts';
import { namesOf } from './walk-directory.ts';

const STATS_AHEAD = 64;
/** A root of one rank holds everything in it, whatever the names: what is wanted here is only to see all of a directory. */
const WHOLE_DIRECTORY = compileRootPattern('', 0);

interface KagentDirectoryOptions {
  /** KAgent's backup path: `file:///mnt/backups`. */
  readonly url: string;
  /** KAgent's name of the cluster. */
  readonly clusterName: string;
  readonly exclude: readonly string[];
}

/** KAgent's snapshot directories on a file system of this machine. */
export class FileKagentStorage implements KagentStorage {
  readonly #path: string;
  readonly #exclude: readonly string[];

  constructor(options: KagentDirectoryOptions) {
    this.#path = `${fileURLToPath(options.url).replace(/\/+$/, '')}/${options.clusterName}`;
    this.#exclude = options.exclude;
  }

  /** @throws RootUnreadable */
  async directories(): Promise<readonly string[]> {
    const names = await namesOf(this.#rootAt(this.#path), '');
    return (names?.keys ?? [])
      .filter((key) => key.endsWith('/'))
      .map((key) => key.slice(0, -1))
      .filter((name) => epochMillisOfDirectory(name) !== undefined);
  }

  async inspect(directory: string): Promise<KagentCandidate | undefined> {
    const root = this.#rootAt(`${this.#path}/${directory}`);
    const own = await statIfPresent(root, '');
    if (own === undefined) {
      return undefined;
    }
    let newest = changeOf(own);
    let holdsFiles = false;
    const visits = walkRank({ root, rank: 0, after: undefined, showTemporary: true });
    const stats = pMapIterable(visits, async ({ pathInRoot }) => (await statOf(root, pathInRoot)) ?? pMapSkip, {
      concurrency: STATS_AHEAD,
    });
    for await (const stat of stats) {
      const change = changeOf(stat);
      newest = change > newest ? change : newest;
      holdsFiles ||= !stat.isDirectory();
    }
    return { directory, newestChangeEpochMillis: Number(newest / 1_000_000n), holdsFiles };
  }

  #rootAt(path: string): FileRoot {
    return { name: 'kagent', directory: path, pattern: WHOLE_DIRECTORY, excluded: compileExcludes(this.#exclude) };
  }
}

async function statOf(root: FileRoot, pathInRoot: string): Promise<BigIntStats | undefined> {
  return await statIfPresent(root, pathInRoot.replace(/\/$/, ''));
}

/** Nanoseconds since the epoch. */
function changeOf(stat: BigIntStats): bigint {
  return stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
}
