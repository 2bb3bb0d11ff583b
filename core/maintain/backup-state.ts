import pMap, { pMapSkip } from 'p-map';
import { readCatalog, readFreeze, readPins, readTombstones, type UnreadableRecord } from '../catalog.ts';
import { CatalogCorrupt } from '../errors.ts';
import { type ReaderHold, readHolds } from '../holds.ts';
import { type LockDependencies, mayBeStolen } from '../locks.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import {
  type Attempt,
  attemptSchema,
  type Freeze,
  type Pin,
  type SnapshotRecord,
  snapshotRecordSchema,
  type Tombstone,
} from '../records.ts';
import { readJson } from '../stored-json.ts';
import { attemptKey, recordKey } from '../vault-layout.ts';
import { type CatalogNames, readNames } from './catalog-names.ts';
import { isDead } from './fates.ts';

export interface StateDependencies extends LockDependencies {
  readonly vault: ObjectStore;
  readonly versions: VaultVersions;
}

/** Everything that a decision about a backup rests on, as it was at one moment, under the backup's lock. */
export interface BackupState {
  readonly backup: string;
  readonly nowEpochMillis: number;
  /** Record and no tombstone; oldest first. */
  readonly visible: readonly SnapshotRecord[];
  /** Tombstone, and something of the snapshot is still in the vault. */
  readonly hidden: readonly HiddenSnapshot[];
  /** Records that are there, hidden or not, and that nobody can read: what they name is not known. */
  readonly unreadable: readonly UnreadableRecord[];
  /** Attempts without record and tombstone. */
  readonly unfinished: readonly UnfinishedAttempt[];
  /** Directories whose attempt nobody can read, without record and tombstone: whose they are is not known, so that they stay. */
  readonly unclaimed: readonly string[];
  readonly pins: readonly Pin[];
  readonly freeze: Freeze | undefined;
  readonly holds: readonly ReaderHold[];
  /** Names of all tombstones, also of snapshots of which nothing is left. */
  readonly tombstones: ReadonlySet<string>;
  /** Directories under which there is a version or delete marker of part bytes. */
  readonly directories: ReadonlySet<string>;
  /** Directories that have a record, a manifest or an attempt; current or not. */
  readonly catalogued: ReadonlySet<string>;
}

export interface HiddenSnapshot {
  readonly snapshot: string;
  readonly tombstone: Tombstone;
  /** Undefined where there is none, and of dead ones, for which nobody has to read it. */
  readonly record: SnapshotRecord | undefined;
  /** Some version of the record is there. */
  readonly recorded: boolean;
}

export interface UnfinishedAttempt {
  readonly attempt: Attempt;
  /** Its execution runs, or ended so lately that one of its workers may still write. */
  readonly mayWrite: boolean;
}

const READ_CONCURRENCY = 16;

/**
 * Some dozen requests and one for each record, tombstone that still means something, pin, hold and unfinished attempt.
 * @throws FormatTooNew, CatalogCorrupt for tombstones, pins, the freeze and holds
 */
export async function readBackupState(deps: StateDependencies, backup: string): Promise<BackupState> {
  const names = await readNames(deps, backup);
  const { vault } = deps;
  const [catalog, pins, freeze, holds] = await Promise.all([
    readCatalog(vault, backup),
    readPins(vault, backup),
    readFreeze(vault, backup),
    readHolds(deps, backup),
  ]);
  const { tombstones, catalogued, directories } = names;
  const nowEpochMillis = deps.clock.nowEpochMillis();
  const { unfinished, unclaimed } = await readUnfinished(deps, backup, names);
  const known = { backup, nowEpochMillis, pins, freeze, holds, tombstones, catalogued, directories };
  const traced = [...tombstones].filter((name) => catalogued.has(name) || directories.has(name));
  const hidden = (await readOwnTombstones(vault, backup, traced)).map((tombstone): HiddenSnapshot => {
    const { snapshot } = tombstone;
    return { snapshot, tombstone, record: undefined, recorded: names.recorded.has(snapshot) };
  });
  const buried = [...names.recorded].filter((name) => !(tombstones.has(name) || names.current.has(name)));
  const state: BackupState = {
    ...known,
    visible: catalog.snapshots,
    hidden,
    unfinished,
    unclaimed,
    unreadable: [
      ...catalog.unreadable,
      ...buried.map((snapshot) => ({ snapshot, error: buriedError(backup, snapshot) })),
    ],
  };
  return withHiddenRecords(vault, state);
}

/** A tombstone that says another name than its key would have the wrong bytes deleted. @throws CatalogCorrupt */
async function readOwnTombstones(
  vault: ObjectStore,
  backup: string,
  directories: readonly string[],
): Promise<readonly Tombstone[]> {
  const tombstones = await readTombstones(vault, backup, directories);
  const names = new Set(directories);
  const foreign = tombstones.find((each) => each.backup !== backup || !names.delete(each.snapshot));
  if (foreign !== undefined) {
    throw new CatalogCorrupt(
      `A tombstone of backup '${backup}' says that it is of ${foreign.backup}/${foreign.snapshot}.`,
      {
        hint: 'Nothing was hidden or deleted. Restore the earlier version of this object in the bucket.',
      },
    );
  }
  return tombstones;
}

/** An attempt is finished when it has a record, also one that lies under a delete marker, or a tombstone. */
async function readUnfinished(
  deps: StateDependencies,
  backup: string,
  names: CatalogNames,
): Promise<Pick<BackupState, 'unfinished' | 'unclaimed'>> {
  const open = names.attempts.filter((name) => !(names.recorded.has(name) || names.tombstones.has(name)));
  const unclaimed: string[] = [];
  const read = async (snapshot: string) => {
    const attempt = await unlessCorrupt(readJson(deps.vault, attemptKey(backup, snapshot), attemptSchema));
    if (attempt === undefined || attempt instanceof CatalogCorrupt || attempt.value.snapshot !== snapshot) {
      unclaimed.push(snapshot);
      return pMapSkip;
    }
    return examine(deps, attempt.value);
  };
  const unfinished = await pMap(open, read, { concurrency: READ_CONCURRENCY });
  return { unfinished, unclaimed: unclaimed.sort() };
}

async function examine({ executions, clock }: LockDependencies, attempt: Attempt): Promise<UnfinishedAttempt> {
  const state = await executions.describe(attempt.executionArn);
  const mayWrite = !mayBeStolen({ acquiredAt: attempt.claimedAt }, state, clock.nowEpochMillis());
  return { attempt, mayWrite };
}

/** What is hidden and not dead refers to bytes: what it names must be known. */
async function withHiddenRecords(vault: ObjectStore, state: BackupState): Promise<BackupState> {
  const unreadable: UnreadableRecord[] = [...state.unreadable];
  const hidden = await pMap(
    state.hidden,
    async (each): Promise<HiddenSnapshot> => {
      if (!each.recorded || isDead(state, each)) {
        return each;
      }
      const { snapshot } = each;
      const read = await unlessCorrupt(readJson(vault, recordKey(state.backup, snapshot), snapshotRecordSchema));
      if (read === undefined || read instanceof CatalogCorrupt || read.value.snapshot !== snapshot) {
        const error = read instanceof CatalogCorrupt ? read : buriedError(state.backup, snapshot);
        unreadable.push({ snapshot, error });
        return each;
      }
      return { ...each, record: read.value };
    },
    { concurrency: READ_CONCURRENCY },
  );
  return { ...state, hidden, unreadable };
}

async function unlessCorrupt<T>(reading: Promise<T>): Promise<T | CatalogCorrupt> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CatalogCorrupt) {
      return error;
    }
    throw error;
  }
}

function buriedError(backup: string, snapshot: string): CatalogCorrupt {
  return new CatalogCorrupt(`${recordKey(backup, snapshot)} lies under a delete marker, or is another's record.`, {
    hint: `Start Maintain with {"action":"repair","backup":"${backup}","snapshot":"${snapshot}"}; then purge it if it shall go.`,
  });
}
