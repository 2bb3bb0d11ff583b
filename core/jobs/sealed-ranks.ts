import pMap from 'p-map';
import { streamOf } from '../draft-writer.ts';
import { RecordMissing, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { RankName } from '../ids.ts';
import { digestOfObject, ranksBytes } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { addTotals, NO_TOTALS, type RankLine, type Totals } from '../records.ts';
import { readJson } from '../stored-json.ts';
import { ranksKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { readRankList } from './plan-copies.ts';
import { type Seal, sealSchema } from './seal-rank.ts';

/** Small objects that are read at a time. */
const READ_CONCURRENCY = 16;

export interface SealReader {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/**
 * The seals of all ranks of a run, in the order of its ranks.
 * @throws RecordMissing when a rank is not sealed
 */
export async function readSeals(reader: SealReader, ranksKey: string, snapshot: string): Promise<readonly Seal[]> {
  const ranks = await readRankList(reader.work, ranksKey);
  return pMap(ranks, (rank) => readSeal(reader, rank, snapshot), { concurrency: READ_CONCURRENCY });
}

/** @throws RecordMissing when the rank is not sealed */
export async function readSeal(reader: SealReader, rank: RankName, snapshot: string): Promise<Seal> {
  const seal = await readJson(reader.work, reader.keys.seal(rank), sealSchema);
  if (seal === undefined) {
    throw new RecordMissing(`Rank ${rank} of ${snapshot} is not sealed.`, {
      hint: 'Nothing was committed; start it again.',
    });
  }
  return seal.value;
}

/**
 * Writes `ranks.jsonl.gz`: digest and totals of each manifest.
 * @returns its SHA-256, for the record
 * @throws VaultKeyTaken
 */
export async function writeRanks(
  vault: ObjectStore,
  place: { readonly backup: string; readonly snapshot: string },
  seals: readonly Seal[],
): Promise<string> {
  const { backup, snapshot } = place;
  const key = ranksKey(backup, snapshot);
  const lines = seals.map(({ formatVersion: _version, listedAt: _listedAt, ...line }): RankLine => line);
  const body = ranksBytes({ formatVersion: FORMAT_VERSION, backup, snapshot }, streamOf(lines));
  const written = await vault.createStream(key, body);
  if (written.outcome === 'exists' && (await digestOfObject(vault, key)) !== written.sha256) {
    throw new VaultKeyTaken(`${key} exists with other ranks than those of this run.`, {
      hint: 'Nothing was committed; start it again, it takes a directory of its own.',
    });
  }
  return written.sha256;
}

export function totalsOf(seals: readonly Seal[]): Totals {
  return seals.map((seal) => seal.totals).reduce(addTotals, NO_TOTALS);
}
