import * as z from 'zod/mini';
import { checksumSchema } from './checksum.ts';
import { formatVersionSchema } from './format.ts';
import { rankNameSchema, snapshotDirectorySchema } from './ids.ts';
import { directoryLineSchema, partLineSchema } from './manifest.ts';

/**
 * What an enumeration leaves in the work bucket. A draft is a rank's manifest with holes: carried parts and directories are
 * complete lines, parts to be copied wait for their receipts. Segments and receipts are both in path order, so that sealing is
 * one merge.
 */
export const copyLineSchema = z.object({
  copy: z.literal(true),
  path: z.string(),
  root: z.string(),
  sizeBytes: z.int().check(z.nonnegative()),
  token: z.string(),
  racy: z.optional(z.literal(true)),
  attributes: z.optional(partLineSchema.shape.attributes.def.innerType),
  /** Of a merge: the bytes in the vault that are copied. */
  stored: z.optional(
    z.object({
      sizeBytes: partLineSchema.shape.sizeBytes,
      checksum: partLineSchema.shape.checksum,
      in: partLineSchema.shape.in,
      etag: z.string(),
      versionId: z.string(),
      key: z.optional(z.string()),
    }),
  ),
});
export type CopyLine = z.infer<typeof copyLineSchema>;

export const draftLineSchema = z.union([copyLineSchema, partLineSchema, directoryLineSchema]);
export type DraftLine = z.infer<typeof draftLineSchema>;

export function isCopyLine(line: DraftLine): line is CopyLine {
  return 'copy' in line;
}

/** One line of a batch's receipts; `skipped` only in the warm pass, where a part may still change. */
export const receiptLineSchema = z.union([
  z.object({
    path: z.string(),
    token: z.string(),
    sizeBytes: z.int().check(z.nonnegative()),
    checksum: checksumSchema,
    in: snapshotDirectorySchema,
    etag: z.string(),
    versionId: z.string(),
    key: z.optional(z.string()),
  }),
  z.object({ path: z.string(), skipped: z.string() }),
]);
export type ReceiptLine = z.infer<typeof receiptLineSchema>;

/** Segments and batches written by one invocation are `<piece id>-<number>`, so that a ghost's never mix with ours. */
export const pieceSchema = z.object({ id: z.string(), segments: z.int(), batches: z.int() });
export type Piece = z.infer<typeof pieceSchema>;

export const enumerationTotalsSchema = z.object({
  parts: z.int(),
  bytes: z.int(),
  directories: z.int(),
  copyParts: z.int(),
  copyBytes: z.int(),
  /** Parts of the base that are gone. */
  removedParts: z.int(),
});
export type EnumerationTotals = z.infer<typeof enumerationTotalsSchema>;

/** `enumerations/rank-<n>.json`, write-once: which pieces make up the enumeration of the rank. */
export const enumerationSchema = z.object({
  formatVersion: formatVersionSchema,
  rank: rankNameSchema,
  listedAt: z.string(),
  /** When the listing was through, after however many invocations. */
  finishedAt: z.string(),
  pieces: z.array(pieceSchema),
  totals: enumerationTotalsSchema,
});
export type Enumeration = z.infer<typeof enumerationSchema>;

export function batchesOf(enumeration: { readonly pieces: readonly Piece[] }): readonly string[] {
  return enumeration.pieces.flatMap((piece) => numbered(piece.id, piece.batches));
}

export function segmentsOf(enumeration: { readonly pieces: readonly Piece[] }): readonly string[] {
  return enumeration.pieces.flatMap((piece) => numbered(piece.id, piece.segments));
}

function numbered(id: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${id}-${index}`);
}
