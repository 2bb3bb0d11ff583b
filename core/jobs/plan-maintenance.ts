import pMap from 'p-map';
import { type ExecutionStart, type MaintainInput, maintainInputSchema, parseInput } from '../execution-input.ts';
import { FORMAT_VERSION } from '../format.ts';
import type { LockOwner } from '../locks.ts';
import { readBackupState } from '../maintain/backup-state.ts';
import { chooseBackups } from '../maintain/chosen-backups.ts';
import { decideHiding } from '../maintain/decide-hiding.ts';
import { decideMarks } from '../maintain/decide-marks.ts';
import { decideMerge } from '../maintain/decide-merge.ts';
import { decideRepair } from '../maintain/decide-repair.ts';
import type { MaintenanceDependencies, Scene } from '../maintain/deciding.ts';
import { hideAndSweep } from '../maintain/hide-and-sweep.ts';
import { maintainRunOf } from '../maintain/maintain-run.ts';
import { makeMarks } from '../maintain/make-marks.ts';
import { mergeWorkOf } from '../maintain/merge-work.ts';
import { type MaintainPlan, maintainPlanSchema, readSweepPlan } from '../maintain/plan.ts';
import { emptyReport, type MaintenanceReport, type MaintenanceResult, resultOf } from '../maintain/report.ts';
import { readStoredReport, storeReport } from '../maintain/stored-report.ts';
import { freezeSweeps } from '../maintain/sweeps.ts';
import { besideLocks, giveBack, underLocks, type WaitAnswer } from '../maintain/under-locks.ts';
import { withoutDeadAttempts } from '../maintain/with-tombstones.ts';
import { assertOwnPlan, ownerOf } from '../owner.ts';
import type { MaintainRun } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { RunKeys } from '../work-layout.ts';

export type MaintenanceAnswer =
  | { readonly outcome: 'planned'; readonly run: MaintainRun }
  | WaitAnswer
  /** Done by the plan alone, or nothing to do. */
  | { readonly outcome: 'finished'; readonly result: MaintenanceResult };

const EXAMPLE = '{"action":"purge","backup":"prod_system","snapshot":"snapshot.2026-01-31.23-59-59","dryRun":true}';

/**
 * Decides under the backup's lock, in seconds: who is hidden, which directories are swept, and what decides what stays in them. Each
 * step finds what an earlier try of the same execution left. What follows needs no lock.
 * @throws InputInvalid, BackupNotFound, BackupInProgress, BackupFrozen, SnapshotPinned, SnapshotNotFound, UndeleteTooLate, CatalogCorrupt
 */
export async function planMaintenance(
  deps: MaintenanceDependencies,
  start: ExecutionStart,
): Promise<MaintenanceAnswer> {
  const keys = new RunKeys('Maintain', start.execution);
  const owner = ownerOf(start);
  const input = parseInput(maintainInputSchema, start.input, 'Maintain', EXAMPLE);
  const planning: Planning = {
    deps,
    start,
    keys,
    owner,
    input,
    run: maintainRunOf(deps.config, { keys, owner, input }),
  };
  const answered = await answerOf(planning);
  const backups = await chooseBackups(deps, input);
  if (answered !== undefined) {
    await giveBack(deps, backups, owner);
    return answered;
  }
  if (needsNoLock(input)) {
    const unanswered = async () => (await answerOf(planning)) === undefined;
    return besideLocks(unanswered, async (assertFirst) => {
      const states = await pMap(backups, (backup) => readBackupState(deps, backup), { concurrency: 1 });
      return decide(planning, { deps, owner, states }, assertFirst);
    });
  }
  return underLocks(deps, { backups, owner, wait: input.wait, dryRun: input.dryRun }, async ({ assertHeld, dead }) => {
    // A ghost may have had the locks meanwhile.
    const raced = await answerOf(planning);
    if (raced !== undefined) {
      return raced;
    }
    const states = await pMap(backups, (backup) => readBackupState(deps, backup), { concurrency: 1 });
    const asLocked = states.map((state) => withoutDeadAttempts(state, dead.get(state.backup), owner));
    return decide(planning, { deps, owner, states: asLocked }, assertHeld);
  });
}

/**
 * One small object that others look at, written in one request: an incident must not wait for the snapshot that runs. Whoever hides
 * looks at it before each tombstone, whoever deletes before each batch.
 */
function needsNoLock({ action }: MaintainInput): boolean {
  return action === 'pin' || action === 'unpin' || action === 'freeze' || action === 'thaw';
}

interface Planning {
  readonly deps: MaintenanceDependencies;
  readonly start: ExecutionStart;
  readonly keys: RunKeys;
  readonly owner: LockOwner;
  readonly input: MaintainInput;
  readonly run: MaintainRun;
}

/** What an earlier try has frozen. @throws InputInvalid when another execution of this name did */
async function answerOf({ deps, keys, owner, run }: Planning): Promise<MaintenanceAnswer | undefined> {
  const planned = await readJson(deps.work, keys.plan(), maintainPlanSchema);
  if (planned !== undefined) {
    assertOwnPlan(planned.value.run, owner);
    return { outcome: 'planned', run: planned.value.run };
  }
  const reported = await readStoredReport(deps.work, keys);
  if (reported !== undefined) {
    assertOwnPlan(reported, owner);
    return { outcome: 'finished', result: resultOf(run, reported.report) };
  }
  return undefined;
}

type AssertHeld = (backup: string) => Promise<void>;

async function decide(planning: Planning, scene: Scene, assertHeld: AssertHeld): Promise<MaintenanceAnswer> {
  const { deps, input, run, keys } = planning;
  switch (input.action) {
    case 'pin':
    case 'unpin':
    case 'freeze':
    case 'thaw':
    case 'undelete': {
      const { marks, notes } = await decideMarks(scene, input);
      await makeMarks(deps, input.dryRun ? [] : marks, () => assertHeld(input.backup));
      return finish(planning, { notes, changed: marks.length > 0 });
    }
    case 'merge': {
      const { merge, merged, tombstones, notes } = await decideMerge({ ...scene, input }, run.ranksKey);
      const units = input.dryRun
        ? await hideAndSweep(deps, { run, keys, states: scene.states, tombstones, collect: false, assertHeld })
        : 0;
      const mergeWork = await mergeWorkOf(deps.vault, merge);
      const merging = { ...run, merges: true, snapshot: merge.snapshot, units };
      return freeze(planning, { run: merging, merge, merged, mergeWork, notes });
    }
    case 'repair': {
      const { units, plan, notes } = await decideRepair({ ...scene, input });
      return freeze(planning, {
        run: { ...run, units: await freezeSweeps(deps.work, { run, keys, units, plan }) },
        notes,
      });
    }
    case 'purge':
    case 'expire':
    case 'drop':
    case 'collect':
      return hide(planning, { ...scene, input }, assertHeld);
    default:
      return input satisfies never;
  }
}

async function hide(
  planning: Planning,
  scene: Scene & { readonly input: Parameters<typeof decideHiding>[1] },
  assertHeld: AssertHeld,
): Promise<MaintenanceAnswer> {
  const { deps, keys, run } = planning;
  const { tombstones, kept, notes, frozen } = await decideHiding(scene, scene.input);
  const about = { notes, ...(kept === undefined ? {} : { kept }) };
  if (frozen === true) {
    return finish(planning, { ...about, changed: false });
  }
  const collect = scene.input.action === 'collect';
  const units = await hideAndSweep(deps, { run, keys, states: scene.states, tombstones, collect, assertHeld });
  const sweep = await readSweepPlan(deps.work, keys);
  const idle = units + sweep.hidden.length + sweep.orphans === 0 && !collect;
  return idle
    ? finish(planning, { ...about, changed: false, hiddenBefore: sweep.hiddenBefore })
    : freeze(planning, { ...about, run: { ...run, units } });
}

/** The last write: from here on every try answers this. */
async function freeze(
  planning: Planning,
  decided: Pick<MaintainPlan, 'run' | 'merge' | 'merged' | 'mergeWork' | 'kept'> & {
    readonly notes: readonly string[];
  },
): Promise<MaintenanceAnswer> {
  const { deps, keys, start, input } = planning;
  const { startedAt } = start;
  const plan: MaintainPlan = { formatVersion: FORMAT_VERSION, startedAt, input, ...decided, notes: [...decided.notes] };
  const created = await createJson(deps.work, keys.plan(), plan);
  const frozen = created === 'created' ? undefined : await readJson(deps.work, keys.plan(), maintainPlanSchema);
  return { outcome: 'planned', run: frozen?.value.run ?? plan.run };
}

async function finish(
  { deps, keys, input, run, start }: Planning,
  facts: {
    readonly notes: readonly string[];
    readonly changed: boolean;
    readonly kept?: MaintenanceReport['kept'];
    readonly hiddenBefore?: MaintenanceReport['hiddenBefore'];
  },
): Promise<MaintenanceAnswer> {
  const { notes, kept, hiddenBefore } = facts;
  const done = input.dryRun && facts.changed ? ['Nothing was changed: start it again without "dryRun" to do it.'] : [];
  const report = {
    ...emptyReport([...notes, ...done].join(' ') || 'Nothing is left to be done.'),
    ...(kept === undefined ? {} : { kept }),
    ...(hiddenBefore === undefined ? {} : { hiddenBefore }),
  };
  const result = await storeReport(
    { vault: deps.vault, work: deps.work, keys },
    {
      run,
      input,
      report,
      changed: facts.changed && !input.dryRun ? [input.backup] : [],
      startedAt: start.startedAt,
      finishedAt: isoOfEpochMillis(deps.clock.nowEpochMillis()),
    },
  );
  return { outcome: 'finished', result };
}
