import type { Dirent } from 'node:fs';
import { lstat, opendir, readdir } from 'node:fs/promises';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { isAbsent } from './file-errors.ts';

/** One directory's names, in the order in which a walk visits them. */
export interface DirectoryNames {
  /**
   * Sorted by UTF-8 bytes; a directory has `/` appended, which is what sorts its contents among its siblings: `a.txt`, `a/`,
   * `a0`.
   */
  readonly keys: readonly string[];
  /** Links, sockets, pipes and devices among the keys, with what they are. */
  readonly special: ReadonlyMap<string, string>;
  /** Names that are not valid UTF-8, as they look when decoded. */
  readonly undecodable: readonly string[];
}

/** Entries that one call to the operating system fetches: few calls for a directory of a million files, little memory. */
const ENTRIES_PER_READ = 256;

/** @returns undefined when the directory is not there, or is no directory */
export async function readDirectoryNames(directory: string): Promise<DirectoryNames | undefined> {
  const found: Found = { keys: [], special: new Map() };
  try {
    for await (const entry of await opendir(directory, { bufferSize: ENTRIES_PER_READ })) {
      add(found, entry.name, entry);
    }
  } catch (error) {
    if (!isAbsent(error)) {
      throw error;
    }
    return await readOneByOne(directory);
  }
  return await finish(directory, found);
}

/**
 * NFS may leave the type of an entry open; Node then asks for it by name and fails when a file went away in the meantime. Only
 * then are the names read without types and each asked for by itself.
 */
async function readOneByOne(directory: string): Promise<DirectoryNames | undefined> {
  const found: Found = { keys: [], special: new Map() };
  try {
    for (const name of await readdir(directory)) {
      await addIfPresent(found, directory, name);
    }
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw error;
  }
  return await finish(directory, found);
}

async function addIfPresent(found: Found, directory: string, name: string): Promise<void> {
  try {
    add(found, name, await lstat(`${directory}/${name}`));
  } catch (error) {
    if (name.includes(REPLACEMENT)) {
      found.keys.push(name); // The name may not be valid UTF-8: `finish` looks.
    } else if (!isAbsent(error)) {
      throw error;
    }
  }
}

interface Found {
  readonly keys: string[];
  readonly special: Map<string, string>;
}

type Typed = Pick<Dirent, 'isDirectory' | 'isFile' | 'isSymbolicLink' | 'isSocket' | 'isFIFO'>;

function add(found: Found, name: string, type: Typed): void {
  if (type.isDirectory()) {
    found.keys.push(`${name}/`);
    return;
  }
  found.keys.push(name);
  if (!type.isFile()) {
    found.special.set(name, kindOf(type));
  }
}

function kindOf(type: Typed): string {
  if (type.isSymbolicLink()) {
    return 'a symbolic link';
  }
  if (type.isSocket()) {
    return 'a socket';
  }
  return type.isFIFO() ? 'a pipe' : 'a device';
}

async function finish(directory: string, found: Found): Promise<DirectoryNames> {
  found.keys.sort(compareUtf8);
  const suspicious = found.keys.some((key) => key.includes(REPLACEMENT));
  const undecodable = suspicious ? await findUndecodable(directory) : [];
  return { keys: found.keys, special: found.special, undecodable };
}

/** What Node puts in the place of bytes that are not UTF-8; a name may also really have it. */
const REPLACEMENT = '\uFFFD';

async function findUndecodable(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory, { encoding: 'buffer' });
  return names
    .filter((name) => !Buffer.from(name.toString('utf8'), 'utf8').equals(name))
    .map((name) => name.toString('utf8'));
}
