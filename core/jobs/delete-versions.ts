import * as z from 'zod/mini';
import { readWorkLines } from '../draft-io.ts';
import { FORMAT_VERSION, parseOrCorrupt } from '../format.ts';
import {
  countRefused,
  type DeletionItem,
  deletedBatchKey,
  NOTHING_REFUSED,
  refusedSchema,
} from '../maintain/deletions.ts';
import { DELETED_AT_ONCE } from '../maintain/records-removal.ts';
import { type RemovalLine, removalLineSchema } from '../maintain/removals.ts';
import { batchKey } from '../maintain/survey.ts';
import { assertThawed } from '../maintain/thawed.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { MaintainRun } from '../run.ts';
import { createJson } from '../stored-json.ts';
import type { RunKeys } from '../work-layout.ts';

export const deletionProgressSchema = z.object({
  done: z.boolean(),
  /** Lines of the batch that are through. */
  lines: z.optional(z.int().check(z.nonnegative())),
  refused: z.optional(refusedSchema),
});
export type DeletionProgress = z.infer<typeof deletionProgressSchema>;

export interface DeleteVersionsDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

export interface DeleteVersionsRequest {
  readonly run: Pick<MaintainRun, 'action'>;
  readonly item: DeletionItem;
  readonly progress: DeletionProgress;
  readonly shouldStop: () => boolean;
}

/**
 * Deletes the versions of one batch by their ids. What is gone already counts as deleted, so that a batch may be done twice, and by a
 * ghost at any time: nothing in it can be needed again. What S3 refuses is counted.
 * @throws BackupFrozen when the backup was frozen since the decision
 */
export async function deleteVersions(
  deps: DeleteVersionsDependencies,
  request: DeleteVersionsRequest,
): Promise<DeletionProgress> {
  const { batch } = request.item;
  const resultKey = deletedBatchKey(deps.keys, batch);
  if ((await deps.work.head(resultKey)) !== undefined) {
    return { done: true };
  }
  // A repair takes nothing away but delete markers: a freeze does not mind.
  if (request.run.action !== 'repair') {
    await assertThawed(deps.vault, batch.slice(0, batch.indexOf('/')));
  }
  const before = request.progress.lines ?? 0;
  let refused = request.progress.refused ?? NOTHING_REFUSED;
  let lines = before;
  for await (const window of windows(deps, batchKey(deps.keys, batch), before)) {
    if (lines > before && request.shouldStop()) {
      return { done: false, lines, refused };
    }
    refused = countRefused(refused, window, await deps.versions.deleteVersions(window));
    lines += window.length;
  }
  await createJson(deps.work, resultKey, { formatVersion: FORMAT_VERSION, refused });
  return { done: true };
}

/** As many lines as one request takes, after the first `skip`. */
async function* windows(
  deps: DeleteVersionsDependencies,
  key: string,
  skip: number,
): AsyncGenerator<readonly RemovalLine[]> {
  let window: RemovalLine[] = [];
  let number = 0;
  for await (const value of readWorkLines(deps.work, key)) {
    number += 1;
    if (number > skip) {
      window.push(parseOrCorrupt(removalLineSchema, value, key));
    }
    if (window.length === DELETED_AT_ONCE) {
      yield window;
      window = [];
    }
  }
  if (window.length > 0) {
    yield window;
  }
}
