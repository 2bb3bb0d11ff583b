import pMap from 'p-map';
import { CatalogCorrupt } from '../errors.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotRecord } from '../records.ts';
import type { MaintainRun } from '../run.ts';
import { epochMillisOfIso } from '../utc.ts';
import { snapshotPrefix } from '../vault-layout.ts';
import type { BackupState, HiddenSnapshot } from './backup-state.ts';
import { isInWindow, keptRecords, lockedUntil } from './fates.ts';
import type { ForeseenPlan, SweptDirectory } from './plan.ts';
import { addNamings, NamingIndex, referrersOf } from './referrers.ts';
import { isOwn } from './sweep-facts.ts';
import type { Unit, UnitItem } from './units.ts';

/** What one backup will look like when the last window of what this run hides in it is over. */
export interface Foresight {
  readonly at: string;
  /** Directories that this run hides and that have bytes. */
  readonly own: readonly SweptDirectory[];
  /** Those hidden before, bytes of which are named by what this run hides. */
  readonly others: readonly SweptDirectory[];
  readonly staying: ReadonlySet<string>;
  readonly leaving: ReadonlySet<string>;
  readonly index: NamingIndex;
  /** Lists that could not be read. */
  readonly unread: number;
}

const READ_CONCURRENCY = 16;

/**
 * Nothing is deleted by what this finds, so that a list that cannot be read stops nothing: it is counted.
 * @returns undefined when this run keeps nothing for a window
 */
export async function foresee(
  vault: ObjectStore,
  state: BackupState,
  run: Pick<MaintainRun, 'executionArn'>,
): Promise<Foresight | undefined> {
  const hidden = state.hidden.filter(
    ({ tombstone }) => isOwn(run, tombstone) && isInWindow(tombstone, state.nowEpochMillis),
  );
  const at = hidden
    .map(({ tombstone }) => tombstone.bytesKeptUntil)
    .sort()
    .at(-1);
  if (at === undefined) {
    return undefined;
  }
  const atEpochMillis = epochMillisOfIso(at) ?? state.nowEpochMillis;
  const leaving = new Set(hidden.map(({ snapshot }) => snapshot));
  const named = new Set(hidden.flatMap(({ record }) => record?.chain ?? []));
  const withBytes = state.hidden.filter(({ snapshot }) => state.directories.has(snapshot));
  const own = withBytes.filter(({ snapshot }) => leaving.has(snapshot));
  const others = withBytes.filter(({ snapshot }) => named.has(snapshot) && !leaving.has(snapshot));
  const kept = keptRecords(state);
  const { index, unread } = await indexReadable(vault, kept, new Set([...own, ...others].map((each) => each.snapshot)));
  const going = new Set(state.hidden.filter((each) => isOver(state, each, atEpochMillis)).map((each) => each.snapshot));
  const staying = new Set(kept.map(({ snapshot }) => snapshot).filter((snapshot) => !going.has(snapshot)));
  const directoryOf = ({ snapshot, tombstone }: HiddenSnapshot): SweptDirectory => {
    const until = lockedUntil(tombstone.record, atEpochMillis);
    const referrers = [...index.ofAllRanks(snapshot, staying)];
    const locked = until === undefined ? {} : { lockedUntil: until };
    return { backup: state.backup, directory: snapshot, dead: false, ...locked, referrers };
  };
  return { at, own: own.map(directoryOf), others: others.map(directoryOf), staying, leaving, index, unread };
}

/** In its window now, and not any more then. */
function isOver({ nowEpochMillis }: BackupState, { tombstone }: HiddenSnapshot, thenEpochMillis: number): boolean {
  return isInWindow(tombstone, nowEpochMillis) && !isInWindow(tombstone, thenEpochMillis);
}

async function indexReadable(
  vault: ObjectStore,
  kept: readonly SnapshotRecord[],
  directories: ReadonlySet<string>,
): Promise<Pick<Foresight, 'index' | 'unread'>> {
  const index = new NamingIndex();
  let unread = 0;
  const add = async (record: SnapshotRecord) => {
    try {
      await addNamings(index, vault, { record, directories });
    } catch (error) {
      if (!(error instanceof CatalogCorrupt)) {
        throw error;
      }
      unread += 1;
    }
  };
  await pMap(kept, add, { concurrency: READ_CONCURRENCY });
  return { index, unread };
}

/** @param parts sub-directories that have any version, by the prefix of their directory */
export function* foreseenUnits(
  { own, others, staying, leaving, index }: Foresight,
  parts: ReadonlyMap<string, readonly string[]>,
): Generator<UnitItem> {
  const unitOf = ({ referrers: _, ...directory }: SweptDirectory, part: string): Unit => ({
    task: 'foresee',
    ...directory,
    part,
    referrers: referrersOf(index, directory.directory, part, staying),
  });
  const partsOf = ({ backup, directory }: SweptDirectory) => parts.get(snapshotPrefix(backup, directory)) ?? [];
  for (const directory of own) {
    for (const part of partsOf(directory)) {
      yield { unit: unitOf(directory, part) };
    }
  }
  for (const directory of others) {
    for (const part of partsOf(directory)) {
      const naming = referrersOf(index, directory.directory, part, leaving);
      if (naming.length > 0) {
        yield { unit: { ...unitOf(directory, part), leaving: naming } };
      }
    }
  }
}

/** @returns undefined when no backup keeps anything for a window */
export function foreseenPlan(ahead: readonly Foresight[]): ForeseenPlan | undefined {
  const at = ahead
    .map((each) => each.at)
    .sort()
    .at(-1);
  return at === undefined
    ? undefined
    : {
        at,
        unread: ahead.reduce((sum, { unread }) => sum + unread, 0),
        directories: ahead.flatMap(({ own }) => own),
      };
}
