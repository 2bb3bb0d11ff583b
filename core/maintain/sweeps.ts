import pMap from 'p-map';
import { plainJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { MaintainRun } from '../run.ts';
import { createJson } from '../stored-json.ts';
import { snapshotPrefix } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import type { BackupState, StateDependencies } from './backup-state.ts';
import { isDead, keptRecords } from './fates.ts';
import { type Foresight, foresee, foreseenPlan, foreseenUnits } from './foresight.ts';
import { readSweepPlan, type SweepPlan, type SweptDirectory, sweepPlanKey } from './plan.ts';
import { indexNamings, type NamingIndex, referrersOf } from './referrers.ts';
import { type Candidate, candidatesOf } from './sweep-candidates.ts';
import { sweepFacts } from './sweep-facts.ts';
import { CATALOG_PART, type UnitItem } from './units.ts';

/**
 * Which directories are swept, and whose manifests decide what stays in them.
 *
 * Used by plan-maintenance and by hide-merged, in this order, under the backup's lock: `readBackupState`, `assertSure`, `writeTombstone`
 * for each that is hidden, `readBackupState` again (so that holds are read after the tombstones), `decideSweeps`. From then on the set
 * of kept snapshots is fixed, and surveying and deleting need no lock.
 */
export interface SweepRequest {
  readonly run: Pick<MaintainRun, 'executionArn' | 'unitsKey'>;
  readonly keys: RunKeys;
  /** Read after the tombstones were written; for a dry run, as they would be. */
  readonly states: readonly BackupState[];
  /** True: every dead directory whatever its stamp says, strangers beside live ones, stale holds, uploads. */
  readonly collect: boolean;
}

export type SweepDependencies = StateDependencies;

/** Directories that are listed at a time. */
const LIST_CONCURRENCY = 16;

/**
 * Never delete when unsure: what an unreadable record names is not known. That of a dead snapshot names nothing that counts.
 * @throws CatalogCorrupt of the first one
 */
export function assertSure(states: readonly BackupState[]): void {
  for (const state of states) {
    const dead = new Set(state.hidden.filter((each) => isDead(state, each)).map(({ snapshot }) => snapshot));
    const unsure = state.unreadable.find(({ snapshot }) => !dead.has(snapshot));
    if (unsure !== undefined) {
      throw unsure.error;
    }
  }
}

/**
 * Writes the units of the survey to `run.unitsKey` and freezes the sweep plan; a second call answers what is frozen.
 * @returns the number of units
 * @throws CatalogCorrupt when it is not known what a kept snapshot names; then nothing is frozen
 */
export async function decideSweeps(deps: SweepDependencies, request: SweepRequest): Promise<number> {
  const { states, keys, run } = request;
  const found = await pMap(states, (state) => candidatesOf(deps, state, request.collect), { concurrency: 1 });
  const candidates = found.flat();
  if (candidates.length > 0) {
    assertSure(states);
  }
  const namings = new Map<string, NamingIndex>();
  for (const state of states) {
    const own = candidates.filter(({ backup }) => backup === state.backup).map(({ directory }) => directory);
    namings.set(state.backup, await indexNamings(deps.vault, keptRecords(state), new Set(own)));
  }
  const ahead = await foreseeAll(deps, request);
  const foreseen = foreseenPlan(ahead);
  const parts = await listParts(deps, [
    ...candidates.filter(({ hasBytes }) => hasBytes),
    ...ahead.flatMap(({ own, others }) => [...own, ...others]),
  ]);
  const directories = candidates.map(({ hasBytes: _bytes, hasCatalog: _catalog, ...directory }): SweptDirectory => {
    const referrers = namings.get(directory.backup)?.ofAllRanks(directory.directory) ?? [];
    return { ...directory, referrers: [...referrers] };
  });
  const plan = { ...sweepFacts(request), ...(foreseen === undefined ? {} : { foreseen }), directories };
  return freezeSweeps(deps.work, { run, keys, units: allUnits({ candidates, namings, ahead, parts }), plan });
}

async function foreseeAll({ vault }: SweepDependencies, { states, run }: SweepRequest): Promise<readonly Foresight[]> {
  const found = await pMap(states, (state) => foresee(vault, state, run), { concurrency: 1 });
  return found.flatMap((each) => each ?? []);
}

/**
 * Units first, then the plan, each write-once: a ghost of this step may have been faster, and what is frozen counts.
 * @returns the number of units
 */
export async function freezeSweeps(
  work: ObjectStore,
  frozen: {
    readonly run: SweepRequest['run'];
    readonly keys: RunKeys;
    readonly units: AsyncIterable<UnitItem>;
    readonly plan: Omit<SweepPlan, 'units'>;
  },
): Promise<number> {
  const { run, keys, plan } = frozen;
  const total = { count: 0 };
  await work.createStream(run.unitsKey, plainJsonLines(counted(frozen.units, total)));
  const created = await createJson(work, sweepPlanKey(keys), { ...plan, units: total.count });
  return created === 'created' ? total.count : (await readSweepPlan(work, keys)).units;
}

/** Sub-directories that have any version, by the prefix of their directory. */
export async function listParts(
  { versions }: Pick<SweepDependencies, 'versions'>,
  directories: readonly Pick<SweptDirectory, 'backup' | 'directory'>[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const list = async ({ backup, directory }: Pick<SweptDirectory, 'backup' | 'directory'>) => {
    const prefix = snapshotPrefix(backup, directory);
    const names: string[] = [];
    for await (const name of versions.listDirectories(prefix)) {
      names.push(name);
    }
    return [prefix, names] as const;
  };
  return new Map(await pMap(directories, list, { concurrency: LIST_CONCURRENCY }));
}

interface Decided {
  readonly candidates: readonly Candidate[];
  readonly namings: ReadonlyMap<string, NamingIndex>;
  readonly ahead: readonly Foresight[];
  /** Sub-directories that have any version, by the prefix of their directory. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

async function* allUnits(decided: Decided): AsyncGenerator<UnitItem> {
  yield* unitsOf(decided);
  for (const foresight of decided.ahead) {
    yield* foreseenUnits(foresight, decided.parts);
  }
}

function* unitsOf({ candidates, namings, parts }: Decided): Generator<UnitItem> {
  for (const { hasBytes: _bytes, hasCatalog, ...directory } of candidates) {
    const task = 'free' as const;
    for (const part of parts.get(snapshotPrefix(directory.backup, directory.directory)) ?? []) {
      const index = namings.get(directory.backup);
      yield { unit: { task, ...directory, part, referrers: referrersOf(index, directory.directory, part) } };
    }
    if (hasCatalog) {
      yield { unit: { task, ...directory, part: CATALOG_PART, referrers: [] } };
    }
  }
}

async function* counted<T>(items: AsyncIterable<T>, total: { count: number }): AsyncGenerator<T> {
  for await (const item of items) {
    total.count += 1;
    yield item;
  }
}
