import * as z from 'zod/mini';
import type { Blocks } from '../blocks.ts';
import {
  type DraftLine,
  type Enumeration,
  type EnumerationTotals,
  enumerationTotalsSchema,
  type Piece,
  pieceSchema,
} from '../draft.ts';
import type { DraftReader } from '../draft-io.ts';
import { DraftWriter } from '../draft-writer.ts';
import { CatalogCorrupt } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { RankName } from '../ids.ts';
import { openCommittedManifest } from '../maintain/merge-manifest.ts';
import type { MergingPlan } from '../maintain/merge-plan.ts';
import { isDirectoryLine, type ManifestLine } from '../manifest.ts';
import { afterInBlocks } from '../ordered-join.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Totals } from '../records.ts';
import { createJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';

/** Where the next invocation goes on; travels in the state of the rank's child execution. */
export const mergeRankProgressSchema = z.object({
  done: z.boolean(),
  after: z.optional(z.string()),
  listedAt: z.optional(z.string()),
  pieces: z.optional(z.array(pieceSchema)),
  totals: z.optional(enumerationTotalsSchema),
});
export type MergeRankProgress = z.infer<typeof mergeRankProgressSchema>;

export interface MergeRankDependencies extends DraftReader {
  readonly vault: ObjectStore;
  readonly clock: Clock;
}

export interface MergeRankRequest {
  readonly plan: MergingPlan;
  readonly rank: RankName;
  readonly progress: MergeRankProgress;
  /** Unique to this invocation. */
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

type OpenTotals = { -readonly [K in keyof EnumerationTotals]: number };

const NOTHING_YET: EnumerationTotals = {
  parts: 0,
  bytes: 0,
  directories: 0,
  copyParts: 0,
  copyBytes: 0,
  removedParts: 0,
};

/**
 * Writes the draft of one rank of a merged full: every part of the source's manifest is to be copied from where its bytes lie in the
 * vault, whichever snapshot stored them. No root is read. Out of time, it answers where to go on; done, it writes the enumeration
 * record once, as `enumerateRank` does.
 * @throws CatalogCorrupt when the manifest is not the one that was committed
 */
export async function mergeRank(deps: MergeRankDependencies, request: MergeRankRequest): Promise<MergeRankProgress> {
  const { plan, rank, progress } = request;
  const key = deps.keys.enumeration('final', rank);
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  const listedAt = progress.listedAt ?? isoOfEpochMillis(deps.clock.nowEpochMillis());
  const place = { backup: plan.merge.backup, snapshot: plan.merge.source, rank };
  const source = await openCommittedManifest(deps.vault, place, progress.after);
  const walked = await walk(deps, request, source.blocks);
  const { totals } = walked;
  const pieces = [...(progress.pieces ?? []), walked.piece];
  if (walked.stoppedAfter !== undefined) {
    return { done: false, after: walked.stoppedAfter, listedAt, pieces, totals };
  }
  assertAllThere(`${place.snapshot}, rank ${rank}`, totals, source.line.totals);
  const finishedAt = isoOfEpochMillis(deps.clock.nowEpochMillis());
  const enumeration: Enumeration = { formatVersion: FORMAT_VERSION, rank, listedAt, finishedAt, pieces, totals };
  await createJson(deps.work, key, enumeration);
  return { done: true };
}

interface Walked {
  readonly piece: Piece;
  readonly totals: EnumerationTotals;
  /** Set when there was no time to go on. */
  readonly stoppedAfter: string | undefined;
}

async function walk(
  deps: MergeRankDependencies,
  request: MergeRankRequest,
  blocks: Blocks<ManifestLine>,
): Promise<Walked> {
  const { rank, progress, invocation } = request;
  const writer = new DraftWriter(deps.work, deps.keys, { pass: 'final', rank, id: invocation });
  const totals = { ...(progress.totals ?? NOTHING_YET) };
  try {
    const stoppedAfter = await draftAll(request, afterInBlocks(blocks, progress.after), { writer, totals });
    return { piece: await writer.close(), totals, stoppedAfter };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

interface Draft {
  readonly writer: DraftWriter;
  readonly totals: OpenTotals;
}

/** @returns the last path when time ran out */
async function draftAll(
  { shouldStop }: MergeRankRequest,
  blocks: Blocks<ManifestLine>,
  { writer, totals }: Draft,
): Promise<string | undefined> {
  let lastPath: string | undefined;
  for await (const block of blocks) {
    for (const line of block) {
      if (lastPath !== undefined && shouldStop()) {
        return lastPath;
      }
      count(totals, line);
      const full = writer.add(draftLineOf(line));
      if (full !== undefined) {
        await full;
      }
      lastPath = line.path;
    }
  }
  return undefined;
}

/** Root, token, raciness and attributes stay those of the source: the next incremental is compared with them. */
function draftLineOf(line: ManifestLine): DraftLine {
  if (isDirectoryLine(line)) {
    return line;
  }
  const { checksum, in: snapshot, etag, versionId, key, ...listed } = line;
  const stored = { sizeBytes: line.sizeBytes, checksum, in: snapshot, etag, versionId };
  return { copy: true, ...listed, stored: key === undefined ? stored : { ...stored, key } };
}

function count(totals: OpenTotals, line: ManifestLine): void {
  if (isDirectoryLine(line)) {
    totals.directories += 1;
    return;
  }
  totals.parts += 1;
  totals.bytes += line.sizeBytes;
  totals.copyParts += 1;
  totals.copyBytes += line.sizeBytes;
}

/** The digest says that the manifest is the one that was sealed; this says that all of it was read, over all invocations. */
function assertAllThere(what: string, found: EnumerationTotals, recorded: Totals): void {
  if (found.parts !== recorded.parts || found.bytes !== recorded.bytes || found.directories !== recorded.directories) {
    throw new CatalogCorrupt(
      `The manifest of ${what} has ${found.parts} parts of ${found.bytes} bytes and ${found.directories} directories; recorded were ${recorded.parts}, ${recorded.bytes} and ${recorded.directories}.`,
      { hint: 'Nothing was hidden. Verify the snapshot, and merge another.' },
    );
  }
}
