import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import * as z from 'zod/mini';

/**
 * The judge of a restore: reads two trees and says in plain words how they differ. It shares no code with what it judges,
 * and it believes neither sizes nor ETags: every byte is read.
 */

export interface TreeEntry {
  /** `/`-separated; a directory's ends in `/`. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'special';
  readonly sizeBytes: number;
  /** Of the bytes, in hexadecimal; of the target of a link; empty for the others. */
  readonly sha256: string;
  /** Permission bits; undefined in S3. */
  readonly mode: number | undefined;
  /** Nanoseconds since the epoch, as a decimal string; undefined in S3. */
  readonly mtimeNs: string | undefined;
}

/** Objects that are hashed at once. */
const CONCURRENCY = 8;
/** What Rankvault keeps for itself at the top of a root is not the cluster's. */
const OWN_PREFIX = '.rankvault';

/** Everything below a directory in order of the paths' UTF-8 bytes, read file by file. */
export async function readTree(directory: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await readDirectory(directory, '', entries);
  return sorted(entries);
}

/** Every object below a prefix (empty or ending in `/`), paths without the prefix. S3 has no directories and no attributes. */
export async function readS3Tree(client: S3Client, bucket: string, prefix: string): Promise<TreeEntry[]> {
  const keys: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    keys.push(...(page.Contents ?? []).map((object) => object.Key ?? ''));
  }
  const own = keys.filter((key) => !key.slice(prefix.length).startsWith(OWN_PREFIX));
  return sorted(await pMap(own, (key) => readObject(client, bucket, { key, prefix }), { concurrency: CONCURRENCY }));
}

/** One SHA-256 over paths, kinds, sizes and bytes of the files: equal for trees of the same files, in a directory or in S3. */
export function digestOfTree(tree: readonly TreeEntry[]): string {
  const hash = createHash('sha256');
  for (const entry of tree.filter((candidate) => candidate.kind !== 'directory')) {
    hash.update(JSON.stringify([entry.path, entry.kind, entry.sizeBytes, entry.sha256]));
  }
  return hash.digest('hex');
}

export interface CompareOptions {
  /** Compares directories, modes and modification times too; false where one of the trees is in S3. */
  readonly attributes: boolean;
  /** Node sets times in doubles of seconds, some 240 ns off in this century. @default 0n */
  readonly mtimeToleranceNs?: bigint;
}

/**
 * What is different, a line for each difference; empty when nothing is. The left tree is "there", the right one "here":
 * `rank-2/tom-0/t1/000003.seg: 4,096 bytes there, missing here`.
 */
export function compareTrees(
  left: readonly TreeEntry[],
  right: readonly TreeEntry[],
  options: CompareOptions,
): string[] {
  const relevant = (tree: readonly TreeEntry[]) =>
    new Map(
      tree.filter((entry) => options.attributes || entry.kind !== 'directory').map((entry) => [entry.path, entry]),
    );
  const there = relevant(left);
  const here = relevant(right);
  const paths = [...new Set([...there.keys(), ...here.keys()])].sort(compareBytes);
  return paths.flatMap((path) => {
    const words = differences(there.get(path), here.get(path), options);
    return words.map((difference) => `${path}: ${difference}`);
  });
}

function differences(there: TreeEntry | undefined, here: TreeEntry | undefined, options: CompareOptions): string[] {
  const { attributes, mtimeToleranceNs = 0n } = options;
  if (there === undefined || here === undefined) {
    return [`${describe(there)} there, ${describe(here)} here`];
  }
  const found: string[] = [];
  if (there.kind !== here.kind || there.sizeBytes !== here.sizeBytes) {
    found.push(`${describe(there)} there, ${describe(here)} here`);
  } else if (there.sha256 !== here.sha256) {
    found.push(`other bytes: ${describe(there)} with SHA-256 ${there.sha256} there, ${here.sha256} here`);
  }
  if (attributes && there.mode !== here.mode) {
    found.push(`mode ${octal(there.mode)} there, ${octal(here.mode)} here`);
  }
  if (attributes && !areClose(there.mtimeNs, here.mtimeNs, mtimeToleranceNs)) {
    found.push(`modified ${isoNanos(there.mtimeNs)} there, ${isoNanos(here.mtimeNs)} here`);
  }
  return found;
}

function areClose(left: string | undefined, right: string | undefined, toleranceNs: bigint): boolean {
  if (left === undefined || right === undefined) {
    return left === right;
  }
  const difference = BigInt(left) - BigInt(right);
  return difference <= toleranceNs && difference >= -toleranceNs;
}

function describe(entry: TreeEntry | undefined): string {
  switch (entry?.kind) {
    case undefined:
      return 'missing';
    case 'file':
      return `${entry.sizeBytes.toLocaleString('en-US')} ${entry.sizeBytes === 1 ? 'byte' : 'bytes'}`;
    case 'directory':
      return 'a directory';
    case 'link':
      return 'a symbolic link';
    default:
      return 'a special file';
  }
}

function octal(mode: number | undefined): string {
  return mode === undefined ? 'unknown' : mode.toString(8).padStart(4, '0');
}

/** 2026-01-02T03:04:05.000000006Z */
function isoNanos(mtimeNs: string | undefined): string {
  if (mtimeNs === undefined) {
    return 'at an unknown time';
  }
  const nanos = BigInt(mtimeNs);
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((nanos - fraction) / 1_000_000n)).toISOString().slice(0, -5);
  return `${seconds}.${String(fraction).padStart(9, '0')}Z`;
}

async function readDirectory(root: string, below: string, entries: TreeEntry[]): Promise<void> {
  for (const name of await readdir(join(root, below))) {
    const path = `${below}${name}`;
    if (!path.startsWith(OWN_PREFIX)) {
      const entry = await readEntry(join(root, path), path);
      entries.push(entry);
      if (entry.kind === 'directory') {
        await readDirectory(root, entry.path, entries);
      }
    }
  }
}

async function readEntry(file: string, path: string): Promise<TreeEntry> {
  const stats = await lstat(file, { bigint: true });
  const attributes = { mode: Number(stats.mode & 0o7777n), mtimeNs: String(stats.mtimeNs) };
  if (stats.isDirectory()) {
    return { path: `${path}/`, kind: 'directory', sizeBytes: 0, sha256: '', ...attributes };
  }
  if (stats.isSymbolicLink()) {
    return { path, kind: 'link', ...(await hashed([await readlink(file)])), ...attributes };
  }
  if (!stats.isFile()) {
    return { path, kind: 'special', sizeBytes: 0, sha256: '', ...attributes };
  }
  return { path, kind: 'file', ...(await hashed(createReadStream(file))), ...attributes };
}

async function readObject(client: S3Client, bucket: string, at: { key: string; prefix: string }): Promise<TreeEntry> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: at.key }));
  const bytes = Body === undefined ? [] : bytesOf(Body.transformToWebStream());
  return {
    path: at.key.slice(at.prefix.length),
    kind: 'file',
    ...(await hashed(bytes)),
    mode: undefined,
    mtimeNs: undefined,
  };
}

async function* bytesOf(stream: ReadableStream<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    yield z.instanceof(Uint8Array).parse(chunk);
  }
}

async function hashed(
  chunks: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    sizeBytes += Buffer.byteLength(chunk);
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

function sorted(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.toSorted((left, right) => compareBytes(left.path, right.path));
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
