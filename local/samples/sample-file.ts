import { createCipheriv, createHash } from 'node:crypto';

/** A file of a sample cluster. Its bytes follow from the seed, the path and the version, so nobody has to keep them. */
export interface SampleFile {
  /** Inside the cluster's root, `/`-separated. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Counts the rewrites of this path; another version has other bytes. */
  readonly version: number;
}

/** One step of a sample cluster, before anybody has written it. */
export type SampleChange =
  | { readonly kind: 'write'; readonly file: SampleFile }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'directory'; readonly path: string };

/** Where a sample cluster's files are: a directory or a prefix of an S3 bucket. */
export interface SampleTree {
  /** Mutations that may be under way at once. */
  readonly concurrency: number;
  readonly write: (path: string, content: Iterable<Buffer>) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Makes an empty directory, where the tree knows such a thing. */
  readonly makeDirectory: (path: string) => Promise<void>;
}

/** A request for a sample that cannot be made; the message says which option is wrong. */
export class SampleInvalid extends Error {
  override readonly name = 'SampleInvalid';
}

/** 64 KiB: the unit in which contents are made and written. */
const BLOCK_BYTES = 65_536;
/** Every eighth block holds zeros only, as preallocated segments do, so that holes can be looked for. */
const ZERO_BLOCK_EVERY = 8;

/** Block after block: pseudo-random bytes (AES in counter mode, as fast as the disk), `.conf` files as lines of text. */
export function* contentOf(seed: string, file: SampleFile): Generator<Buffer> {
  const key = createHash('sha256')
    .update(JSON.stringify([seed, file.path, file.version]))
    .digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  for (let offset = 0; offset < file.sizeBytes; offset += BLOCK_BYTES) {
    const block = Buffer.alloc(Math.min(BLOCK_BYTES, file.sizeBytes - offset));
    if ((offset / BLOCK_BYTES) % ZERO_BLOCK_EVERY === ZERO_BLOCK_EVERY - 1) {
      yield block;
    } else if (file.path.endsWith('.conf')) {
      yield asLines(cipher.update(block));
    } else {
      yield cipher.update(block);
    }
  }
}

/** As many bytes as given, as lines of 32 hexadecimal digits. */
function asLines(bytes: Buffer): Buffer {
  const lines = bytes.toString('hex').replaceAll(/.{32}/g, '$&\n');
  return Buffer.from(lines.slice(0, bytes.length), 'latin1');
}
