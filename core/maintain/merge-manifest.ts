import type { Blocks } from '../blocks.ts';
import { CatalogCorrupt, RecordMissing } from '../errors.ts';
import type { ManifestLine } from '../manifest.ts';
import { assertDigest, type ManifestPlace, readManifestBlocks, readRankLine } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type RankLine, type SnapshotRecord, snapshotRecordSchema } from '../records.ts';
import { readJson } from '../stored-json.ts';
import { manifestKey, ranksKey, recordKey } from '../vault-layout.ts';

export interface OpenedManifest {
  readonly line: RankLine;
  /** The lines in the order of their paths; to be read once. */
  readonly blocks: Blocks<ManifestLine>;
}

/**
 * A rank's manifest as it was committed: the record names the digest of ranks.jsonl.gz, which names that of the manifest. Both are
 * compared before anything is read of it; an invocation that goes on has an earlier one that did so.
 * @param goesOnAfter where an earlier invocation stopped
 * @throws CatalogCorrupt
 */
export async function openCommittedManifest(
  vault: ObjectStore,
  place: ManifestPlace,
  goesOnAfter: string | undefined,
): Promise<OpenedManifest> {
  const { backup, snapshot, rank } = place;
  if (goesOnAfter === undefined) {
    const record = await readRecordOf(vault, backup, snapshot);
    await assertDigest(vault, ranksKey(backup, snapshot), record.ranksSha256);
  }
  const line = await readRankLine(vault, place);
  if (line === undefined) {
    throw new CatalogCorrupt(`${ranksKey(backup, snapshot)} has no rank ${rank}.`, {
      hint: 'Restore the recorded version of the object in the bucket, or merge another snapshot.',
    });
  }
  if (goesOnAfter === undefined) {
    await assertDigest(vault, manifestKey(backup, snapshot, rank), line.sha256);
  }
  return { line, blocks: readManifestBlocks(vault, place) };
}

/** The record, whether or not a tombstone hides it. @throws RecordMissing */
export async function readRecordOf(vault: ObjectStore, backup: string, snapshot: string): Promise<SnapshotRecord> {
  const key = recordKey(backup, snapshot);
  const stored = await readJson(vault, key, snapshotRecordSchema);
  if (stored === undefined) {
    throw new RecordMissing(`${key} is missing from the vault.`, {
      hint: 'Nothing was hidden. Restore the object in the bucket (it is versioned), or merge another snapshot.',
    });
  }
  return stored.value;
}
