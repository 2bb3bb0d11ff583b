import { type Catalog, readCatalog } from '../catalog.ts';
import { epochMillisOfDirectory } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';
import { nameOfCatalogKey, tombstonesPrefix } from '../vault-layout.ts';
import { NOTHING_VERIFIED, type VerifiedState } from '../verification.ts';
import { readTable } from './catalog-table.ts';
import { coverageSince, wholeSince } from './coverage.ts';
import type { GatheredRun, RunToGather } from './gather-run.ts';
import { listVerifications, readNewestReadable, readSlices } from './history.ts';
import { newState, type WholeSince } from './new-state.ts';
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
}

/** The state of the newest verification, and this run on top of it. */
export async function stateAfter(vault: ObjectStore, question: StateQuestion): Promise<StateAfter> {
  const { run, gathered, now, finishedAt } = question;
  const { plan } = run;
  const { backup, level } = plan.run;
  const ids = (await listVerifications(vault, backup)).filter((id) => id < plan.id);
  const previous = (await readNewestReadable(vault, backup, ids))?.state ?? NOTHING_VERIFIED;
  const { coverage, since } = await historyAfter(vault, question, ids);
  const whole = wholeNow(run, since);
  const { drill } = run;
  const restored = drill?.outcome === 'good' && drill.excluded === 0 ? drill.drill : undefined;
  const state = newState(previous, {
    verification: plan.id,
    level,
    finishedAt,
    hurt: new Map([...gathered.gathering.hurt].filter(([snapshot]) => epochMillisOfDirectory(snapshot) !== undefined)),
    whole: new Set(whole),
    wholeSince: since,
    tombstones: now.tombstones,
    gone: new Set(plan.gone),
    coverage: {
      ...coverage,
      ...(restored === undefined
        ? pick(previous.coverage.restored)
        : pick({
            snapshot: restored.snapshot,
            at: finishedAt,
            recoverySeconds: restored.recoverySeconds,
            bytes: restored.bytes,
          })),
    },
  });
  return { state, whole };
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
  const newest = slices.map((slice): PastSlice => ({ ...slice, verification: plan.id }));
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
