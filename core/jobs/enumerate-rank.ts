import * as z from 'zod/mini';
import { blocksOf } from '../blocks.ts';
import { decidePart } from '../diff.ts';
import {
  type DraftLine,
  type Enumeration,
  type EnumerationTotals,
  enumerationTotalsSchema,
  type Piece,
  pieceSchema,
} from '../draft.ts';
import { completedLines, type DraftReader, readEnumeration } from '../draft-io.ts';
import { DraftWriter } from '../draft-writer.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { RankName } from '../ids.ts';
import { isDirectoryLine, type ManifestLine } from '../manifest.ts';
import { assertDigest, readManifestBlocks, readRankLine } from '../manifest-io.ts';
import { afterInBlocks, visitJoined } from '../ordered-join.ts';
import type { LiveEntry, LivePart } from '../part.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SourceRoots } from '../ports/source-root.ts';
import type { Pass, SnapshotPlan, SnapshotRun } from '../run.ts';
import { createJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { manifestKey } from '../vault-layout.ts';

/** Where the next invocation goes on; travels in the state of the rank's child execution. */
export const enumerateProgressSchema = z.object({
  done: z.boolean(),
  after: z.optional(z.string()),
  listedAt: z.optional(z.string()),
  pieces: z.optional(z.array(pieceSchema)),
  totals: z.optional(enumerationTotalsSchema),
});
export type EnumerateProgress = z.infer<typeof enumerateProgressSchema>;

export interface EnumerateDependencies extends DraftReader {
  readonly vault: ObjectStore;
  readonly source: SourceRoots;
  readonly clock: Clock;
}

/** What an enumeration needs of the plan. */
export interface EnumeratePlan extends Pick<SnapshotPlan, 'base' | 'baseRanks'> {
  readonly run: Pick<SnapshotRun, 'backup' | 'snapshot' | 'warmPass'>;
}

export interface EnumerateRequest {
  readonly plan: EnumeratePlan;
  readonly pass: Pass;
  readonly rank: RankName;
  readonly progress: EnumerateProgress;
  /** Unique to this invocation. */
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

const NO_TOTALS: EnumerationTotals = {
  parts: 0,
  bytes: 0,
  directories: 0,
  copyParts: 0,
  copyBytes: 0,
  removedParts: 0,
};

/**
 * Lists one rank, joins the listing with the base, and writes the rank's draft and copy batches. Out of time, it answers where
 * to go on; done, it writes the enumeration record once: of two invocations that finish, the first one counts.
 */
export async function enumerateRank(
  deps: EnumerateDependencies,
  request: EnumerateRequest,
): Promise<EnumerateProgress> {
  const { pass, rank, progress } = request;
  const key = deps.keys.enumeration(pass, rank);
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  const listedAt = progress.listedAt ?? isoOfEpochMillis(deps.clock.nowEpochMillis());
  const walked = await walk(deps, request);
  const pieces = [...(progress.pieces ?? []), walked.piece];
  if (walked.stoppedAfter !== undefined) {
    return { done: false, after: walked.stoppedAfter, listedAt, pieces, totals: walked.totals };
  }
  const finishedAt = isoOfEpochMillis(deps.clock.nowEpochMillis());
  const { totals } = walked;
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

async function walk(deps: EnumerateDependencies, request: EnumerateRequest): Promise<Walked> {
  const { pass, rank, progress, invocation } = request;
  const writer = new DraftWriter(deps.work, deps.keys, { pass, rank, id: invocation });
  const totals = { ...(progress.totals ?? NO_TOTALS) };
  const listed = deps.source.listRank(rank, progress.after);
  const known = afterInBlocks(baseBlocks(deps, request), progress.after);
  let lastPath: string | undefined;
  let stoppedAfter: string | undefined;
  try {
    await visitJoined(listed, known, (live, base) => {
      if (lastPath !== undefined && request.shouldStop()) {
        stoppedAfter = lastPath;
        return 'stop';
      }
      const line = live === undefined ? undefined : lineOf(live, base, pass);
      count(totals, live, line);
      totals.removedParts += live === undefined && base !== undefined && !isDirectoryLine(base) ? 1 : 0;
      lastPath = live?.path ?? base?.path;
      return line === undefined ? undefined : writer.add(line);
    });
    return { piece: await writer.close(), totals, stoppedAfter };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** The warm pass of this run where there was one, else the base snapshot, else nothing. */
async function* baseBlocks(
  deps: EnumerateDependencies,
  request: EnumerateRequest,
): AsyncGenerator<Iterable<ManifestLine>> {
  const { plan, pass, rank } = request;
  if (pass === 'final' && plan.run.warmPass) {
    yield* blocksOf(completedLines(deps, 'warm', await readEnumeration(deps, 'warm', rank)));
  } else if (plan.base !== undefined) {
    yield* baseManifest(deps.vault, request);
  }
}

async function* baseManifest(
  vault: ObjectStore,
  { plan, rank, progress }: EnumerateRequest,
): AsyncGenerator<Iterable<ManifestLine>> {
  const place = { backup: plan.run.backup, snapshot: plan.base ?? plan.run.snapshot, rank };
  // A rank that was added since the base has no manifest there; all of its parts are new.
  const line = plan.baseRanks.includes(rank) ? await readRankLine(vault, place) : undefined;
  if (line === undefined) {
    return;
  }
  // What is carried is copied from this manifest: a damaged one must not spread.
  if (progress.after === undefined) {
    await assertDigest(vault, manifestKey(place.backup, place.snapshot, rank), line.sha256);
  }
  yield* readManifestBlocks(vault, place);
}

function lineOf(live: LiveEntry, base: ManifestLine | undefined, pass: Pass): DraftLine | undefined {
  if (live.kind === 'directory') {
    const { path, root, rank, attributes } = live;
    return { path, root, directory: true, ...(rank === undefined ? {} : { rank }), attributes };
  }
  const decision = decidePart(live, base, pass);
  switch (decision.action) {
    case 'carry':
      return decision.line;
    case 'copy':
      return copyLineOf(live);
    case 'leave':
      return undefined;
    default:
      return decision satisfies never;
  }
}

function copyLineOf(live: LivePart): DraftLine {
  return {
    copy: true,
    path: live.path,
    root: live.root,
    sizeBytes: live.sizeBytes,
    token: live.token,
    ...(live.racy ? { racy: true as const } : {}),
    ...(live.attributes === undefined ? {} : { attributes: live.attributes }),
  };
}

function count(
  totals: { -readonly [K in keyof EnumerationTotals]: number },
  live: LiveEntry | undefined,
  line: DraftLine | undefined,
): void {
  if (live === undefined) {
    return;
  }
  if (live.kind === 'directory') {
    totals.directories += 1;
    return;
  }
  totals.parts += 1;
  totals.bytes += live.sizeBytes;
  if (line !== undefined && 'copy' in line) {
    totals.copyParts += 1;
    totals.copyBytes += live.sizeBytes;
  }
}
