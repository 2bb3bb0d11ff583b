import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach } from 'vitest';
import { type FileRoot, fileRootOf } from '../../../adapters/file/file-root.ts';
import { FileSourceRoot } from '../../../adapters/file/file-source-root.ts';
import type { SingleRoot } from '../../../adapters/roots/single-root.ts';
import type { RankName } from '../../../core/ids.ts';
import type { LiveEntry, LivePart } from '../../../core/part.ts';

/** Long after every file of a test was written, so that none of them is racy. */
export const LATER = { nowEpochMillis: () => Date.now() + 60_000 };

export interface RootOptions {
  readonly pattern?: string;
  readonly rank?: number | undefined;
  readonly exclude?: readonly string[];
}

/** Makes directories for the tests of a file and removes them after each test. */
export function useDirectories() {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0)) {
      rmSync(directory, { recursive: true, force: true });
    }
  });
  return {
    newDirectory(): string {
      const directory = mkdtempSync(join(tmpdir(), 'rankvault-file-'));
      made.push(directory);
      return directory;
    },
  };
}

/** Writes files by path; a path that ends in `/` is a directory. */
export function writeTree(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const absolute = join(directory, path);
    if (path.endsWith('/')) {
      mkdirSync(absolute, { recursive: true });
    } else {
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, content);
    }
  }
}

export function rootAt(directory: string, options: RootOptions = {}): FileRoot {
  const { pattern, rank, exclude = [] } = options;
  return fileRootOf({
    name: 'data',
    url: pathToFileURL(directory).href,
    pattern: pattern ?? 'rank-{rank}/tom-{tom}',
    exclude: [...exclude],
    ...(rank === undefined ? {} : { rank }),
  });
}

export function sourceAt(directory: string, options: RootOptions = {}): FileSourceRoot {
  return new FileSourceRoot(rootAt(directory, options), LATER);
}

export async function pathsOf(entries: AsyncIterable<LiveEntry>): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of entries) {
    paths.push(entry.path);
  }
  return paths;
}

/** The listed part with the path. */
export async function partAt(root: Pick<SingleRoot, 'listRank'>, rank: RankName, path: string): Promise<LivePart> {
  for await (const entry of root.listRank(rank, undefined)) {
    if (entry.path === path && entry.kind === 'part') {
      return entry;
    }
  }
  throw new Error(`The listing of rank ${rank} has no part ${path}.`);
}

/** Runs as a user without rights, if the tests run as root. */
export async function asNobody<Result>(directory: string, run: () => Promise<Result>): Promise<Result> {
  if (process.getuid?.() !== 0) {
    return await run();
  }
  await chmod(directory, 0o755);
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
