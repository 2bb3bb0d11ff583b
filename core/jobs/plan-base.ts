import { type Catalog, findNewestRestore, readNewestVerification } from '../catalog.ts';
import { type BaseChoice, type BaseQuestion, chooseBase, fullInstead, type LockPromise } from '../choose-base.ts';
import type { ObjectLockConfig, SnapshotType } from '../config/schema.ts';
import { CatalogCorrupt } from '../errors.ts';
import type { RankName } from '../ids.ts';
import { assertDigest, readRanks } from '../manifest-io.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { promisedMillis } from '../record-lock.ts';
import type { SnapshotRecord } from '../records.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { ranksKey } from '../vault-layout.ts';
import { NOTHING_VERIFIED, unsoundSnapshots } from '../verification.ts';

/**
 * An hour: how much later than its plan the moment of a snapshot may be, for the promise of its lock. Where a warm pass takes longer,
 * `Verify` may find that the lock of a carried part ends early by the difference.
 */
const PLAN_TO_MOMENT_MILLIS = 3_600_000;

export interface BaseOrder {
  readonly backup: string;
  readonly cluster: string;
  readonly requested: SnapshotType;
  readonly catalog: Catalog;
  readonly definitionDigest: string;
  readonly objectLock: ObjectLockConfig | undefined;
}

/** What is built upon, and the ranks that have a manifest there. */
export interface PlannedBase {
  readonly choice: BaseChoice;
  readonly ranks: readonly RankName[];
}

/** Reads what the choice depends on. A base whose catalog is broken, though nobody has verified it since, is none either. */
export async function planBase(
  deps: { readonly vault: ObjectStore; readonly clock: Clock },
  order: BaseOrder,
): Promise<PlannedBase> {
  const { backup, cluster, catalog, requested, definitionDigest, objectLock } = order;
  const choice = chooseBase({
    requested,
    snapshots: catalog.snapshots,
    unreadable: catalog.unreadable.map(({ snapshot }) => snapshot),
    unsound: await findUnsound(deps.vault, backup),
    definitionDigest,
    restoredAt: await findNewestRestore(deps.vault, cluster),
    promise: objectLock === undefined ? undefined : promiseOf(objectLock, deps.clock.nowEpochMillis()),
  });
  if (choice.type === 'full') {
    return { choice, ranks: [] };
  }
  try {
    return { choice, ranks: await rankNames(deps.vault, backup, choice.base) };
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return { choice: fullInstead(choice.type, error.problem), ranks: [] };
    }
    throw error;
  }
}

/** A broken verification record must not stop snapshots: then nothing is known to be sound. */
async function findUnsound(vault: ObjectStore, backup: string): Promise<BaseQuestion['unsound']> {
  try {
    const newest = await readNewestVerification(vault, backup);
    return unsoundSnapshots(newest?.state ?? NOTHING_VERIFIED);
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return 'unknown';
    }
    throw error;
  }
}

function promiseOf(objectLock: ObjectLockConfig, nowEpochMillis: number): LockPromise {
  const until = isoOfEpochMillis(nowEpochMillis + PLAN_TO_MOMENT_MILLIS + promisedMillis(objectLock));
  return { mode: objectLock.mode, until };
}

/** @throws CatalogCorrupt */
async function rankNames(vault: ObjectStore, backup: string, base: SnapshotRecord): Promise<RankName[]> {
  await assertDigest(vault, ranksKey(backup, base.snapshot), base.ranksSha256);
  const names: RankName[] = [];
  for await (const line of readRanks(vault, backup, base.snapshot)) {
    names.push(line.rank);
  }
  return names;
}
