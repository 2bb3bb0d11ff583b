import * as z from 'zod/mini';
import { checksumSchema } from './checksum.ts';
import { snapshotDirectorySchema } from './ids.ts';

/** Nanoseconds since the epoch. */
export const MTIME_NS_PATTERN = /^-?\d+$/;

/**
 * One line of `manifests/<snapshot>/rank-<n>.jsonl.gz`. Lines are sorted by the UTF-8 bytes of `path` and list every part of the
 * rank, also unchanged ones, so that a snapshot restores from its own manifests alone.
 */
const attributesShape = {
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
  mtimeNs: z.string().check(z.regex(MTIME_NS_PATTERN)),
};

export const partLineSchema = z.object({
  path: z.string(),
  root: z.string(),
  sizeBytes: z.int().check(z.nonnegative()),
  token: z.string(),
  racy: z.optional(z.literal(true)),
  checksum: checksumSchema,
  in: snapshotDirectorySchema,
  etag: z.string(),
  versionId: z.string(),
  key: z.optional(z.string()),
  attributes: z.optional(z.object(attributesShape)),
});

export const directoryLineSchema = z.object({
  path: z.string().check(z.endsWith('/')),
  root: z.string(),
  directory: z.literal(true),
  /** A rank's own directory, a line of `cluster`: it is made where the target's pattern has the rank. */
  rank: z.optional(z.int().check(z.nonnegative())),
  attributes: z.object(attributesShape),
});

export const manifestLineSchema = z.union([partLineSchema, directoryLineSchema]);

export type PartLine = z.infer<typeof partLineSchema>;
export type DirectoryLine = z.infer<typeof directoryLineSchema>;
export type ManifestLine = z.infer<typeof manifestLineSchema>;

export function isDirectoryLine(line: ManifestLine): line is DirectoryLine {
  return 'directory' in line;
}

/** First line of every manifest; a reader refuses versions that it does not know. */
export const manifestHeaderSchema = z.object({
  formatVersion: z.int(),
  backup: z.string(),
  snapshot: snapshotDirectorySchema,
  rank: z.string(),
});
export type ManifestHeader = z.infer<typeof manifestHeaderSchema>;
