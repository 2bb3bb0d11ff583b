import { readFreeze } from '../catalog.ts';
import { BackupFrozen } from '../errors.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Freeze } from '../records.ts';

export function frozenError(backup: string, { reason, at }: Freeze): BackupFrozen {
  return new BackupFrozen(`Backup '${backup}' is frozen since ${at}: ${reason}`, {
    hint: `Nothing more of it is hidden or deleted. Start Maintain with {"action":"thaw","backup":"${backup}"}, then this one again.`,
  });
}

/**
 * Whoever freezes a backup while a run deletes in it wants that to stop.
 * @throws BackupFrozen
 */
export async function assertThawed(vault: ObjectStore, backup: string): Promise<void> {
  const freeze = await readFreeze(vault, backup);
  if (freeze !== undefined) {
    throw frozenError(backup, freeze);
  }
}
