import pMap from 'p-map';
import { type Catalog, findSnapshot } from '../catalog.ts';
import type { RankvaultConfig } from '../config/schema.ts';
import { InputInvalid, NotAScratchCluster, SnapshotNotFound } from '../errors.ts';
import type { VerifyInput } from '../execution-input.ts';
import { type HoldRequest, holdSnapshot } from '../holds.ts';
import { epochMillisOfDirectory } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotRecord } from '../records.ts';

/** Holds taken at a time. */
const HOLDS_AT_A_TIME = 16;

/** What is looked at: one snapshot as if it were the only one, or all of them, each at its own part of the whole. */
export interface Scope {
  /** As it was asked for. */
  readonly name: string;
  readonly whole: boolean;
  readonly records: readonly SnapshotRecord[];
  /** Snapshots in the scope whose records cannot be read. */
  readonly unreadable: Catalog['unreadable'];
}

/** @throws InputInvalid, NotAScratchCluster */
export function assertAllowed(config: RankvaultConfig, input: VerifyInput): void {
  if (input.level === 'read' && input.budget !== undefined && input.snapshot !== 'all') {
    throw new InputInvalid(`A budget goes over all snapshots, and the input names ${JSON.stringify(input.snapshot)}.`, {
      hint: 'Start it again without "snapshot", or without "budget".',
    });
  }
  if (input.level !== 'restored') {
    return;
  }
  const cluster = config.clusters[input.cluster];
  if (cluster === undefined) {
    throw new InputInvalid(`There is no cluster '${input.cluster}'.`, {
      hint: `Known clusters: ${Object.keys(config.clusters).sort().join(', ')}; they are defined in rankvault.config.ts.`,
    });
  }
  if (!cluster.scratch) {
    throw new NotAScratchCluster(`Cluster '${input.cluster}' is not declared as scratch, and a drill overwrites it.`, {
      hint: 'Name another cluster, or add "scratch: true" to this one in rankvault.config.ts and deploy, if nothing in it is needed.',
    });
  }
}

/** @throws SnapshotNotFound, CatalogCorrupt when a drill is to restore what cannot be read */
export function scopeOf(catalog: Catalog, input: VerifyInput): Scope {
  const { snapshot: wanted, backup } = input;
  if (wanted === 'all') {
    const name = input.level === 'read' && input.budget !== undefined ? 'budget' : 'all';
    return { name, whole: false, records: catalog.snapshots, unreadable: catalog.unreadable.filter(isSnapshot) };
  }
  const named = catalog.unreadable.filter(({ snapshot }) => snapshot === wanted);
  if (input.level === 'restored' && named[0] !== undefined) {
    throw named[0].error;
  }
  const records = named.length > 0 ? [] : [findSnapshot(catalog.snapshots, backup, wanted)];
  // A younger one that cannot be read would be the latest.
  const latest = records.at(-1)?.snapshot ?? '';
  const younger = wanted === 'latest' ? catalog.unreadable.filter(({ snapshot }) => snapshot > latest) : [];
  return { name: wanted, whole: true, records, unreadable: [...named, ...younger].filter(isSnapshot) };
}

/** Anything can lie among the records; what is no snapshot by its name is told by `Maintain`, which stops at it. */
function isSnapshot({ snapshot }: { readonly snapshot: string }): boolean {
  return epochMillisOfDirectory(snapshot) !== undefined;
}

/**
 * Holds what is looked at against deletion. @returns the snapshots that are held: of all, one that was hidden meanwhile is left out
 * @throws SnapshotNotFound when the one that was asked for was hidden meanwhile
 */
export async function holdAll(
  stores: { readonly work: ObjectStore; readonly vault: ObjectStore },
  scope: Scope,
  request: Omit<HoldRequest, 'snapshot'>,
): Promise<readonly SnapshotRecord[]> {
  const held = await pMap(
    scope.records,
    async ({ snapshot }) => {
      const hold = holdSnapshot(stores.work, stores.vault, { ...request, snapshot });
      return scope.whole ? hold.then(() => true) : isHeld(hold);
    },
    { concurrency: HOLDS_AT_A_TIME },
  );
  return scope.records.filter((_, index) => held[index]);
}

async function isHeld(hold: Promise<void>): Promise<boolean> {
  try {
    await hold;
    return true;
  } catch (error) {
    if (error instanceof SnapshotNotFound) {
      return false;
    }
    throw error;
  }
}
