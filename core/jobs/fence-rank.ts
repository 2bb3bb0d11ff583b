import * as z from 'zod/mini';
import { type DraftLine, isCopyLine } from '../draft.ts';
import { type DraftReader, readDraft, readEnumeration } from '../draft-io.ts';
import { QuiesceLost } from '../errors.ts';
import type { RankName } from '../ids.ts';
import { after, joinByPath } from '../ordered-join.ts';
import type { LiveEntry } from '../part.ts';
import type { SourceRoots } from '../ports/source-root.ts';

export const fenceProgressSchema = z.object({ done: z.boolean(), after: z.optional(z.string()) });
export type FenceProgress = z.infer<typeof fenceProgressSchema>;

export interface FenceRequest {
  readonly rank: RankName;
  readonly quiesced: boolean;
  readonly progress: FenceProgress;
  readonly shouldStop: () => boolean;
}

/** How many differences a message names. */
const EXAMPLES = 3;

/**
 * Lists the rank again: every path and token must equal what was enumerated, else the snapshot would mix moments.
 * @throws QuiesceLost naming the first differences
 */
export async function fenceRank(
  deps: DraftReader & { readonly source: SourceRoots },
  request: FenceRequest,
): Promise<FenceProgress> {
  const { rank, progress } = request;
  const enumeration = await readEnumeration(deps, 'final', rank);
  const drafted = after(readDraft(deps, 'final', enumeration), progress.after);
  const differences: string[] = [];
  let lastPath: string | undefined;
  for await (const { left: live, right: draft } of joinByPath(deps.source.listRank(rank, progress.after), drafted)) {
    if (lastPath !== undefined && differences.length === 0 && request.shouldStop()) {
      return { done: false, after: lastPath };
    }
    const difference = differenceOf(live, draft);
    if (difference !== undefined) {
      differences.push(difference);
    }
    if (differences.length >= EXAMPLES) {
      break;
    }
    lastPath = live?.path ?? draft?.path;
  }
  assertNone(differences, request);
  return { done: true };
}

function differenceOf(live: LiveEntry | undefined, draft: DraftLine | undefined): string | undefined {
  if (live === undefined) {
    return `${draft?.path} is gone`;
  }
  if (draft === undefined) {
    return `${live.path} is new`;
  }
  const listedToken = isCopyLine(draft) || !('directory' in draft) ? draft.token : undefined;
  const liveToken = live.kind === 'part' ? live.token : undefined;
  return listedToken === liveToken ? undefined : `${live.path} has changed`;
}

function assertNone(differences: readonly string[], request: FenceRequest): void {
  if (differences.length > 0) {
    throw new QuiesceLost(`Rank ${request.rank} changed while it was copied: ${differences.join(', ')}.`, {
      hint: request.quiesced
        ? 'Nothing was committed. Find out who released the cluster or writes past its backup mode, then start the snapshot again.'
        : 'Nothing was committed. This cluster has nobody to hold it still: stop its writers during snapshots, or exclude files that always change.',
    });
  }
}
