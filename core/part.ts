import type { Checksum } from './checksum.ts';
import type { SourceToken } from './source-token.ts';

/** Attributes that a file root restores; S3 roots have none. */
export interface FileAttributes {
  /** Permission bits, e.g. 0o640. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch as a decimal string: beyond what a JSON number holds. */
  readonly mtimeNs: string;
}

/** A directory of a file root; its path ends in `/`. S3 roots have none. */
export interface LiveDirectory {
  readonly kind: 'directory';
  readonly path: string;
  readonly root: string;
  /** Set on a rank's own directory, an entry of `cluster`: another root's pattern may call it by another name. */
  readonly rank?: number;
  readonly attributes: FileAttributes;
}

/** A part as a listing saw it. */
export interface LivePart {
  readonly kind: 'part';
  /** Inside the rank, with TOMs in the canonical form: `tom-1/t42/000017.seg`. */
  readonly path: string;
  /** Name of the root that holds it. */
  readonly root: string;
  readonly sizeBytes: number;
  readonly token: SourceToken;
  /** True: the token cannot be trusted next time, see `isRacy`. */
  readonly racy: boolean;
  readonly attributes?: FileAttributes;
}

export type LiveEntry = LivePart | LiveDirectory;

/** Where a part's bytes lie in the vault. */
export interface StoredBytes {
  readonly sizeBytes: number;
  readonly checksum: Checksum;
  /** Directory of the snapshot that stored the bytes. */
  readonly in: string;
  readonly etag: string;
  /** The vault is versioned, so every object has one. */
  readonly versionId: string;
  /** Full key, only where it is not the natural one. */
  readonly key?: string | undefined;
}

/** What a copy leaves behind. `token` is the version that was really read; for files it is taken from the opened file. */
export interface Receipt extends StoredBytes {
  readonly path: string;
  readonly token: SourceToken;
}
