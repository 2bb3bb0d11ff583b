import { chmodSync, closeSync, mkdirSync, openSync, rmSync, utimesSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SampleTree } from './sample-file.ts';

interface DirectoryTreeOptions {
  readonly directory: string;
  /** Asked after every write for the file's mtime, in milliseconds since the epoch. @default - the system's time */
  readonly modifiedAtEpochMillis?: () => number;
}

/**
 * Writes a sample cluster's files below a directory; a rewritten file keeps its inode, as a database's files do.
 *
 * Every mutation is one synchronous turn, so files are never found half written by others in this process.
 * Modes do not depend on the umask: directories 0750, segments 0640, `.mdb` files 0600.
 */
export function createDirectoryTree(options: DirectoryTreeOptions): SampleTree {
  const at = (path: string) => join(options.directory, path);
  return {
    concurrency: 1,
    write: async (path, content) => {
      makeDirectories(options.directory, dirname(path));
      writeFile(at(path), content);
      chmodSync(at(path), path.endsWith('.mdb') ? 0o600 : 0o640);
      if (options.modifiedAtEpochMillis !== undefined) {
        const modifiedAtSeconds = options.modifiedAtEpochMillis() / 1000;
        utimesSync(at(path), modifiedAtSeconds, modifiedAtSeconds);
      }
    },
    remove: async (path) => rmSync(at(path)),
    makeDirectory: async (path) => makeDirectories(options.directory, path),
  };
}

function writeFile(path: string, content: Iterable<Buffer>): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const block of content) {
      let written = 0;
      while (written < block.length) {
        written += writeSync(descriptor, block, written);
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

function makeDirectories(root: string, path: string): void {
  mkdirSync(root, { recursive: true });
  let directory = root;
  for (const segment of path.split('/')) {
    directory = join(directory, segment);
    if (segment !== '.' && mkdirSync(directory, { recursive: true }) !== undefined) {
      chmodSync(directory, 0o750);
    }
  }
}
