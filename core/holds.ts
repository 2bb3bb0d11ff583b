import { SnapshotNotFound } from './errors.ts';
import { FORMAT_VERSION, jsonBytes } from './format.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { tombstoneKey } from './vault-layout.ts';
import { holdKey } from './work-layout.ts';

/** A reader's hold on a snapshot: while it is there, nothing of the snapshot is deleted. */
export interface HoldRequest {
  readonly backup: string;
  readonly snapshot: string;
  readonly execution: string;
  readonly executionArn: string;
  readonly since: string;
}

/**
 * Holds first, then looks for a tombstone. A remover writes its tombstone first, then looks for holds: whichever order the two
 * meet in, at least one of them sees the other.
 * @throws SnapshotNotFound when the snapshot was hidden meanwhile
 */
export async function holdSnapshot(work: ObjectStore, vault: ObjectStore, request: HoldRequest): Promise<void> {
  const { backup, snapshot, execution } = request;
  await work.put(holdKey(backup, snapshot, execution), jsonBytes({ formatVersion: FORMAT_VERSION, ...request }));
  if ((await vault.head(tombstoneKey(backup, snapshot))) !== undefined) {
    await work.delete(holdKey(backup, snapshot, execution));
    throw new SnapshotNotFound(`${backup}/${snapshot} has been removed from the catalog.`, {
      hint: 'Choose another snapshot of the backup.',
    });
  }
}

export async function releaseHold(
  work: ObjectStore,
  request: Pick<HoldRequest, 'backup' | 'snapshot' | 'execution'>,
): Promise<void> {
  await work.delete(holdKey(request.backup, request.snapshot, request.execution));
}
