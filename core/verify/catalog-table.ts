import pMap from 'p-map';
import type { RankName } from '../ids.ts';
import type { SnapshotRecord } from '../records.ts';
import { ranksKey } from '../vault-layout.ts';
import { brokenDigest, type CatalogStores, readableRanks } from './committed-manifest.ts';
import type { Sighting } from './sightings.ts';
import type { CatalogTable, Named, TableEntry } from './units.ts';

/** Lists of ranks read at a time. */
const READS_AT_A_TIME = 16;

export interface ReadTable {
  readonly table: CatalogTable;
  /** Snapshots whose list of ranks is not the one that was committed: what is left of it. Nobody else may rely on them. */
  readonly broken: readonly TableEntry[];
  readonly sightings: readonly Sighting[];
}

/** What visible snapshots name, from their lists of ranks. @param records oldest first @throws FormatTooNew, StoreUnavailable */
export async function readTable(
  stores: CatalogStores,
  backup: string,
  records: readonly SnapshotRecord[],
): Promise<ReadTable> {
  const read = await pMap(records, (record) => readEntry(stores, backup, record), { concurrency: READS_AT_A_TIME });
  return {
    table: new Map(
      read.filter(({ details }) => details.length === 0).map(({ entry }) => [entry.snapshot, entry] as const),
    ),
    broken: read.filter(({ details }) => details.length > 0).map(({ entry }) => entry),
    sightings: read.flatMap(({ entry: { snapshot }, details }) =>
      details.map((detail) => ({ kind: 'BrokenCatalog', snapshot, key: ranksKey(backup, snapshot), detail }) as const),
    ),
  };
}

async function readEntry(
  stores: CatalogStores,
  backup: string,
  record: SnapshotRecord,
): Promise<{ readonly entry: TableEntry; readonly details: readonly string[] }> {
  const { snapshot, base } = record;
  const ranks = new Map<RankName, Named>();
  const details: string[] = [];
  const broken = await brokenDigest(stores, ranksKey(backup, snapshot), record.ranksSha256);
  if (broken !== undefined) {
    details.push(broken.detail);
  }
  if (broken?.lost !== true) {
    for await (const line of readableRanks(stores.vault, { backup, snapshot }, (detail) => details.push(detail))) {
      ranks.set(line.rank, line.in);
    }
  }
  return { entry: { snapshot, base, ranks }, details };
}
