import pMap from 'p-map';
import { findSnapshot } from '../catalog.ts';
import { CatalogCorrupt } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { directoryOfId, isSnapshotId } from '../ids.ts';
import type { SnapshotRecord } from '../records.ts';
import { snapshotPrefix } from '../vault-layout.ts';
import type { BackupState } from './backup-state.ts';
import { type Deciding, only } from './deciding.ts';
import type { SweepPlan } from './plan.ts';
import { addNamings, NamingIndex, referrersOf } from './referrers.ts';
import { listParts } from './sweeps.ts';
import { CATALOG_PART, type UnitItem } from './units.ts';

export interface Repairing {
  readonly units: AsyncIterable<UnitItem>;
  readonly plan: Omit<SweepPlan, 'units'>;
  readonly notes: readonly string[];
}

const READ_CONCURRENCY = 16;

/**
 * Where to look for delete markers: over what the catalog has of each snapshot, and over the parts that those name whose record and
 * ranks can be read. What lies under a marker itself cannot be read yet: its parts are for a second repair.
 * @throws SnapshotNotFound
 */
export async function decideRepair(deciding: Deciding<'repair'>): Promise<Repairing> {
  const { deps } = deciding;
  const state = only(deciding);
  const { readable, buried } = targetsOf(state, deciding.input.snapshot);
  const directories = new Set(readable.flatMap(({ chain }) => chain).filter((each) => state.directories.has(each)));
  const index = new NamingIndex();
  const unread: string[] = [...buried];
  await pMap(
    readable,
    async (record) => {
      try {
        await addNamings(index, deps.vault, { record, directories });
      } catch (error) {
        if (!(error instanceof CatalogCorrupt)) {
          throw error;
        }
        unread.push(record.snapshot);
      }
    },
    { concurrency: READ_CONCURRENCY },
  );
  const { backup } = state;
  const parts = await listParts(
    deps,
    [...directories].map((directory) => ({ backup, directory })),
  );
  const targets = [...readable.map(({ snapshot }) => snapshot), ...buried];
  return {
    units: unitsOf(backup, targets, { parts, index, directories }),
    plan: { formatVersion: FORMAT_VERSION, hidden: [], orphans: 0, directories: [], staleHolds: [] },
    notes: unread.map(
      (each) => `The catalog of ${each} cannot be read yet: repair once more for its parts, then verify.`,
    ),
  };
}

function targetsOf(
  { visible, unreadable, tombstones, backup }: BackupState,
  wanted: string | undefined,
): { readonly readable: readonly SnapshotRecord[]; readonly buried: readonly string[] } {
  const buried = unreadable.filter(({ snapshot }) => !tombstones.has(snapshot)).map(({ snapshot }) => snapshot);
  if (wanted === undefined) {
    return { readable: visible, buried };
  }
  const directory = isSnapshotId(wanted) ? directoryOfId(wanted) : wanted;
  return buried.includes(directory)
    ? { readable: [], buried: [directory] }
    : { readable: [findSnapshot(visible, backup, wanted)], buried: [] };
}

async function* unitsOf(
  backup: string,
  targets: readonly string[],
  of: {
    readonly parts: ReadonlyMap<string, readonly string[]>;
    readonly index: NamingIndex;
    readonly directories: ReadonlySet<string>;
  },
): AsyncGenerator<UnitItem> {
  const common = { task: 'repair' as const, backup, dead: false };
  for (const directory of targets) {
    yield { unit: { ...common, directory, part: CATALOG_PART, referrers: [] } };
  }
  for (const directory of of.directories) {
    for (const part of of.parts.get(snapshotPrefix(backup, directory)) ?? []) {
      const referrers = referrersOf(of.index, directory, part);
      if (referrers.length > 0) {
        yield { unit: { ...common, directory, part, referrers } };
      }
    }
  }
}
