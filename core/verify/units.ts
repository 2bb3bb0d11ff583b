import { type RankName, rankDirectory } from '../ids.ts';
import type { RankLine } from '../records.ts';
import type { Amount } from '../verification.ts';

/** What a rank's manifest names, by the snapshot that stored it. */
export type Named = RankLine['in'];

/** A visible snapshot whose list of ranks is the one that was committed. */
export interface TableEntry {
  readonly snapshot: string;
  readonly base: string | undefined;
  readonly ranks: ReadonlyMap<RankName, Named>;
}

/** By snapshot, oldest first. Catalog facts alone: its size is that of the catalog, not of what was backed up. */
export type CatalogTable = ReadonlyMap<string, TableEntry>;

/** One rank of one snapshot, and whose bytes are looked at through its manifest. */
export interface Unit extends Amount {
  readonly snapshot: string;
  readonly rank: RankName;
  /** Directories; the snapshot's own is always one of them. */
  readonly ins: readonly string[];
}

/** `snapshot.2026-01-31.23-59-59.rank-3`: names the unit in keys. */
export function unitId(unit: Pick<Unit, 'snapshot' | 'rank'>): string {
  return `${unit.snapshot}.${rankDirectory(unit.rank)}`;
}

/**
 * Units that together look at every version which visible snapshots name: each at what it stored itself, and at what nobody else can
 * look at for it. What a snapshot names of an earlier one, its base names too, because carried lines are copies of the base's; so bytes of
 * a directory that is no visible snapshot are looked at by the first visible one that names them. Two differentials have no visible base
 * then, and both look: such a part counts twice.
 */
export function ownUnits(table: CatalogTable): readonly Unit[] {
  return [...table.values()].flatMap((entry) => [...entry.ranks.keys()].map((rank) => ownUnit(table, entry, rank)));
}

export function ownUnit(table: CatalogTable, entry: TableEntry, rank: RankName): Unit {
  return unitOf(entry, rank, ({ snapshot }) => coverer(table, entry, { rank, directory: snapshot }) === entry);
}

/** Everything that the snapshot names, as if it were the only one. */
export function wholeUnits(entry: TableEntry): readonly Unit[] {
  return [...entry.ranks.keys()].map((rank) => unitOf(entry, rank, () => true));
}

/**
 * The own units that together look at everything that the snapshot names, its own ones among them.
 * @param withBases also those of its visible bases: a `present` compares what is carried with the base's manifest, so that the lines of a
 * snapshot are right when those of its bases are
 */
export function coverersOf(table: CatalogTable, entry: TableEntry, withBases = false): readonly Unit[] {
  const units = new Map<string, Unit>();
  const bases = withBases ? basesOf(table, entry) : [];
  for (const [rank, named] of entry.ranks) {
    const entries = [
      entry,
      ...named.map(({ snapshot }) => coverer(table, entry, { rank, directory: snapshot })),
      ...bases.filter(({ ranks }) => ranks.has(rank)),
    ];
    for (const each of new Set(entries)) {
      const unit = ownUnit(table, each, rank);
      units.set(unitId(unit), unit);
    }
  }
  return [...units.values()];
}

/** Through whose manifest the parts are looked at that `entry` names of the directory. */
function coverer(
  table: CatalogTable,
  entry: TableEntry,
  { rank, directory }: { readonly rank: RankName; readonly directory: string },
): TableEntry {
  const owner = table.get(directory);
  if (owner?.ranks.has(rank)) {
    return owner;
  }
  let found = entry;
  for (let base = baseOf(table, found); base !== undefined; base = baseOf(table, found)) {
    if (!base.ranks.get(rank)?.some(({ snapshot }) => snapshot === directory)) {
      break;
    }
    found = base;
  }
  return found;
}

function basesOf(table: CatalogTable, entry: TableEntry): readonly TableEntry[] {
  const bases: TableEntry[] = [];
  for (let base = baseOf(table, entry); base !== undefined; base = baseOf(table, base)) {
    bases.push(base);
  }
  return bases;
}

function baseOf(table: CatalogTable, entry: TableEntry): TableEntry | undefined {
  return entry.base === undefined ? undefined : table.get(entry.base);
}

function unitOf(entry: TableEntry, rank: RankName, looksAt: (named: Named[number]) => boolean): Unit {
  const { snapshot } = entry;
  const looked = (entry.ranks.get(rank) ?? []).filter((named) => named.snapshot === snapshot || looksAt(named));
  const others = looked.map((named) => named.snapshot).filter((each) => each !== snapshot);
  return {
    snapshot,
    rank,
    ins: [...others, snapshot],
    parts: looked.reduce((sum, { parts }) => sum + parts, 0),
    bytes: looked.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
