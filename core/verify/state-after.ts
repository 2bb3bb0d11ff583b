import { type Catalog, readCatalog } from '../catalog.ts';
import { epochMillisOfDirectory } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';
import { attemptKey, manifestsPrefix, nameOfCatalogKey, tombstonesPrefix } from '../vault-layout.ts';
import { NOTHING_VERIFIED, type Verification, type VerifiedState } from '../verification.ts';
import { readTable } from './catalog-table.ts';
import { coverageSince, wholeSince } from './coverage.ts';
import { promisesBySnapshot } from './gather.ts';
import type { GatheredRun, RunToGather } from './gather-run.ts';
import { listVerifications, readNewestReadable, readSlices } from './history.ts';
import { type Inherited, inheritedFrom } from './inherit.ts';
import { inherit, newState, type RunResult, stillOpen, type WholeSince } from './new-state.ts';
import type { PastSlice, Slice } from './read-slices.ts';
import { type CatalogTable, ownUnits } from './units.ts';

const THIRTY_DAYS_MILLIS = 30 * 24 * 3_600_000;

/** The catalog as it is when the run ends: snapshots came and went meanwhile. */
export interface CatalogNow {
  readonly catalog: Catalog;
  readonly table: CatalogTable;
  readonly tombstones: ReadonlySet<string>;
}

export async function readCatalogNow(vault: ObjectStore, backup: string): Promise<CatalogNow> {
  const catalog = await readCatalog(vault, backup);
  const { table } = await readTable({ vault }, backup, catalog.snapshots);
  const tombstones = new Set<string>();
  for await (const { key } of vault.list(tombstonesPrefix(backup))) {
    tombstones.add(nameOfCatalogKey(key));
  }
  return { catalog, table, tombstones };
}

export interface StateQuestion {
  readonly run: RunToGather;
  readonly gathered: GatheredRun;
  readonly now: CatalogNow;
  readonly slices: readonly Slice[];
  readonly finishedAt: string;
}

export interface StateAfter {
  readonly state: VerifiedState;
  /** Snapshots of which this run has looked at everything. */
  readonly whole: readonly string[];
  /** What snapshots suffer from that an earlier run found, before they were there. */
  readonly inherited: readonly Inherited[];
}

/** The state of the newest verification, and this run on top of it. */
export async function stateAfter(vault: ObjectStore, question: StateQuestion): Promise<StateAfter> {
  const { plan } = question.run;
  const ids = (await listVerifications(vault, plan.run.backup)).filter((id) => id < plan.id);
  const previous = await readNewestReadable(vault, plan.run.backup, ids);
  const state = previous?.state ?? NOTHING_VERIFIED;
  const result = await resultOf(vault, question, { ids, previous: state });
  const inherited = await inheritedNow(vault, question, { ids, previous, result });
  return { state: newState(inherit(state, result, inherited), result), whole: [...result.whole], inherited };
}

async function resultOf(
  vault: ObjectStore,
  question: StateQuestion,
  { ids, previous }: { readonly ids: readonly string[]; readonly previous: VerifiedState },
): Promise<RunResult> {
  const { run, gathered, now, finishedAt } = question;
  const { plan, drill } = run;
  const { coverage, since } = await historyAfter(vault, question, ids);
  const good = drill?.outcome === 'good' && drill.excluded === 0 ? drill.drill : undefined;
  const restored =
    good === undefined
      ? previous.coverage.restored
      : { snapshot: good.snapshot, at: finishedAt, recoverySeconds: good.recoverySeconds, bytes: good.bytes };
  return {
    verification: plan.id,
    level: plan.run.level,
    finishedAt,
    hurt: new Map([...gathered.gathering.hurt].filter(([snapshot]) => epochMillisOfDirectory(snapshot) !== undefined)),
    whole: new Set(wholeNow(run, since)),
    wholeSince: since,
    tombstones: now.tombstones,
    gone: new Set(plan.gone),
    forgotten: await forgottenNow(vault, question, previous),
    coverage: { ...coverage, ...pick(restored) },
  };
}

/**
 * Snapshots of which nothing can be hurt any more. Hidden ones that still have a record can be taken back; one whose record has vanished may be
 * brought back, as long as its attempt or a manifest is there.
 */
async function forgottenNow(
  vault: ObjectStore,
  { run, gathered, now }: StateQuestion,
  { open }: VerifiedState,
): Promise<ReadonlySet<string>> {
  const { snapshots, unreadable, hidden } = now.catalog;
  const recorded = new Set([...snapshots, ...unreadable].map(({ snapshot }) => snapshot).concat(hidden));
  const suspects = new Set([...open.map(({ snapshot }) => snapshot), ...gathered.gathering.hurt.keys()]);
  const forgotten = new Set<string>();
  for (const snapshot of suspects) {
    const isGone =
      !recorded.has(snapshot) &&
      (now.tombstones.has(snapshot) || !(await isAnythingLeft(vault, run.plan.run.backup, snapshot)));
    if (isGone) {
      forgotten.add(snapshot);
    }
  }
  return forgotten;
}

async function isAnythingLeft(vault: ObjectStore, backup: string, snapshot: string): Promise<boolean> {
  for await (const _any of vault.list(manifestsPrefix(backup, snapshot))) {
    return true;
  }
  return (await vault.head(attemptKey(backup, snapshot))) !== undefined;
}

function inheritedNow(
  vault: ObjectStore,
  { run: { plan }, now }: StateQuestion,
  before: {
    readonly ids: readonly string[];
    readonly previous: Verification | undefined;
    readonly result: RunResult;
  },
): Promise<readonly Inherited[]> {
  const { ids, previous, result } = before;
  return inheritedFrom(vault, {
    backup: plan.run.backup,
    table: now.table,
    promises: promisesBySnapshot(now.catalog.snapshots),
    chains: new Map(now.catalog.snapshots.map(({ snapshot, chain }) => [snapshot, chain])),
    ids,
    // Also what was found in a snapshot that is gone for good: others may name its bytes still.
    open: stillOpen(previous?.state ?? NOTHING_VERIFIED, { ...result, forgotten: new Set() }),
    heldAgainst: new Set(previous?.visible),
    whole: result.whole,
    level: result.level,
  });
}

function pick(restored: VerifiedState['coverage']['restored']): Pick<VerifiedState['coverage'], 'restored'> {
  return restored === undefined ? {} : { restored };
}

/** Coverage of both levels, as it is at this moment, and since when each snapshot was wholly looked at by the run's level. */
async function historyAfter(
  vault: ObjectStore,
  { run: { plan }, now: { table }, slices, finishedAt }: StateQuestion,
  ids: readonly string[],
): Promise<{
  readonly coverage: Pick<VerifiedState['coverage'], 'present' | 'read'>;
  readonly since: ReadonlyMap<string, WholeSince>;
}> {
  const { backup } = plan.run;
  const units = ownUnits(table);
  const withBytes = units.filter(({ parts }) => parts > 0);
  const heldAgainst = new Set(table.keys());
  const newest = slices.map((slice): PastSlice => ({ ...slice, verification: plan.id, heldAgainst }));
  const of = (level: 'present' | 'read') => (plan.run.level === level ? { newest } : {});
  const present = await readSlices(vault, { backup, level: 'present', ids, units, ...of('present') });
  const read = await readSlices(vault, { backup, level: 'read', ids, units: withBytes, ...of('read') });
  const cutoff = isoOfEpochMillis((epochMillisOfIso(finishedAt) ?? 0) - THIRTY_DAYS_MILLIS);
  return {
    coverage: { present: coverageSince(units, present, cutoff), read: coverageSince(withBytes, read, cutoff) },
    since:
      plan.run.level === 'restored'
        ? new Map()
        : wholeSince(table, plan.run.level === 'present' ? present : read, plan.run.level),
  };
}

/** One that was looked at for itself needs nobody else's units. */
function wholeNow({ plan, answers, drill }: RunToGather, since: ReadonlyMap<string, WholeSince>): readonly string[] {
  if (plan.run.level === 'restored') {
    return drill?.outcome === 'good' && drill.excluded === 0 ? [drill.drill.snapshot] : [];
  }
  const known = plan.snapshots.map(({ snapshot }) => snapshot);
  if (!plan.whole) {
    return known.filter((snapshot) => since.get(snapshot)?.verification === plan.id);
  }
  const broken = new Set(plan.sightings.filter(({ kind }) => kind === 'BrokenCatalog').map(({ snapshot }) => snapshot));
  const isWhole = answers.every(({ complete, tooLarge }) => complete && tooLarge === 0);
  return known.filter((snapshot) => isWhole && !broken.has(snapshot));
}
