import pMap from 'p-map';
import * as z from 'zod/mini';
import { SnapshotNotFound } from './errors.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from './format.ts';
import { type LockDependencies, mayBeStolen } from './locks.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { readJson } from './stored-json.ts';
import { tombstoneKey } from './vault-layout.ts';
import { HOLDS_PREFIX, holdKey } from './work-layout.ts';

/** A reader's hold on a snapshot: while it is there, nothing of the snapshot is deleted. */
const holdSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: z.string(),
  snapshot: z.string(),
  execution: z.string(),
  executionArn: z.string(),
  since: z.string(),
});
export type HoldRequest = Omit<z.infer<typeof holdSchema>, 'formatVersion'>;

/**
 * Holds first, then looks for a tombstone. A remover writes its tombstone first, then looks for holds: whichever order the two
 * meet in, at least one of them sees the other. It takes no hold back, because a ghost that comes late would take that of the running
 * execution, whose key is the same: the abort of a failed run does, or the hold goes stale.
 * @throws SnapshotNotFound when the snapshot was hidden meanwhile
 */
export async function holdSnapshot(work: ObjectStore, vault: ObjectStore, request: HoldRequest): Promise<void> {
  const { backup, snapshot, executionArn } = request;
  const key = holdKey(backup, snapshot, executionArn);
  await work.put(key, jsonBytes({ formatVersion: FORMAT_VERSION, ...request }));
  if ((await vault.head(tombstoneKey(backup, snapshot))) !== undefined) {
    throw new SnapshotNotFound(`${backup}/${snapshot} has been removed from the catalog.`, {
      hint: 'Choose another snapshot of the backup.',
    });
  }
}

export async function releaseHold(
  work: ObjectStore,
  request: Pick<HoldRequest, 'backup' | 'snapshot' | 'executionArn'>,
): Promise<void> {
  await work.delete(holdKey(request.backup, request.snapshot, request.executionArn));
}

/** Deletes a hold that was stale, if it still is: a stopped execution may have been redriven since. */
export async function releaseStaleHold(deps: LockDependencies, key: string): Promise<void> {
  const hold = (await readJson(deps.work, key, holdSchema))?.value;
  if (hold !== undefined && (await isStale(deps, hold))) {
    await deps.work.delete(key);
  }
}

async function isStale({ executions, clock }: LockDependencies, hold: HoldRequest): Promise<boolean> {
  const state = await executions.describe(hold.executionArn);
  return mayBeStolen({ acquiredAt: hold.since }, state, clock.nowEpochMillis());
}

export interface ReaderHold {
  /** In the work bucket. */
  readonly key: string;
  readonly snapshot: string;
  readonly execution: string;
  /** Its execution ended so long ago that no worker of it can still read: the hold counts as none. */
  readonly stale: boolean;
}

/** Readers are few; Step Functions is asked for each. */
const READ_CONCURRENCY = 8;

/**
 * Every hold on a snapshot of the backup.
 * @throws CatalogCorrupt, FormatTooNew: a hold that cannot be read may be anybody's
 */
export async function readHolds(deps: LockDependencies, backup: string): Promise<readonly ReaderHold[]> {
  const read = async ({ key }: { readonly key: string }): Promise<readonly ReaderHold[]> => {
    const hold = (await readJson(deps.work, key, holdSchema))?.value;
    if (hold === undefined) {
      return [];
    }
    return [{ key, snapshot: hold.snapshot, execution: hold.execution, stale: await isStale(deps, hold) }];
  };
  const holds = await pMap(deps.work.list(`${HOLDS_PREFIX}${backup}/`), read, { concurrency: READ_CONCURRENCY });
  return holds.flat();
}
