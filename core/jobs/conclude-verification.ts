import * as z from 'zod/mini';
import { DamageFound, LockLost, ProtectionWeakened } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { assertLockHeld, releaseLock } from '../locks.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { verifyRunSchema } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { findingsKey, verificationKey } from '../vault-layout.ts';
import { type Amount, addAmounts, NO_AMOUNT, type Verification, verificationSchema } from '../verification.ts';
import { readAnswers } from '../verify/answers.ts';
import type { DrillVerdict } from '../verify/drill.ts';
import { slicesOf, writeFindings, writeSlices } from '../verify/findings-object.ts';
import { promisesBySnapshot } from '../verify/gather.ts';
import { allSightings, type GatheredRun, gatherRun, type RunToGather } from '../verify/gather-run.ts';
import type { Inherited } from '../verify/inherit.ts';
import { kindsOf, type Sighting } from '../verify/sightings.ts';
import { readCatalogNow, stateAfter } from '../verify/state-after.ts';
import { drillRequestSchema, tryDrill } from '../verify/try-drill.ts';
import { readVerifyPlan, type VerifyPlan } from '../verify/verify-plan.ts';
import { type Told, tell, worstOf } from '../verify/words.ts';
import { holdName, holdsOfBackup, RunKeys, verifyLockKey } from '../work-layout.ts';

export const concludeRequestSchema = z.object({ run: verifyRunSchema, ...drillRequestSchema.shape });
export type ConcludeRequest = z.infer<typeof concludeRequestSchema>;

export interface ConcludeDependencies {
  readonly vault: ObjectStore;
  readonly work: ObjectStore;
  readonly clock: Clock;
}

export interface Concluded {
  readonly outcome: 'verified';
  readonly verification: Told;
  /** What the execution fails with. */
  readonly failure?: { readonly error: string; readonly cause: string };
}

/**
 * Writes down what the run has looked at, what it found, and last its record with the state after it; then gives back its holds and its
 * turn. A second try finds the record and answers it.
 * @throws LockLost, RecordMissing, FormatTooNew
 */
export async function concludeVerification(deps: ConcludeDependencies, request: ConcludeRequest): Promise<Concluded> {
  const { run } = request;
  const plan = await readVerifyPlan(deps.work, run);
  const drill = await tryDrill(deps.work, plan, request);
  const verification = (await readRecord(deps.vault, plan)) ?? (await concludeOrAdopt(deps, plan, drill));
  await letGo(deps.work, plan);
  return answerOf(verification, drill);
}

async function readRecord(vault: ObjectStore, { run, id }: VerifyPlan): Promise<Verification | undefined> {
  return (await readJson(vault, verificationKey(run.backup, id), verificationSchema))?.value;
}

/** A ghost of this step may have been faster: it has written the record, and given the turn back. */
async function concludeOrAdopt(
  deps: ConcludeDependencies,
  plan: VerifyPlan,
  drill: DrillVerdict | undefined,
): Promise<Verification> {
  try {
    return await conclude(deps, plan, drill);
  } catch (error) {
    const adopted = error instanceof LockLost ? await readRecord(deps.vault, plan) : undefined;
    if (adopted === undefined) {
      throw error;
    }
    return adopted;
  }
}

async function conclude(
  deps: ConcludeDependencies,
  plan: VerifyPlan,
  drill: DrillVerdict | undefined,
): Promise<Verification> {
  const { vault, work } = deps;
  const { backup, nonce, execution } = plan.run;
  const lockKey = verifyLockKey(backup);
  await assertLockHeld(work, lockKey, nonce);
  const stores = { vault, work, keys: new RunKeys('Verify', execution) };
  const run: RunToGather = { plan, drill, answers: await readAnswers(stores, plan.run) };
  const now = await readCatalogNow(vault, backup);
  const promises = promisesBySnapshot(now.catalog.snapshots);
  const gathered = await gatherRun(stores, run, { backup, table: now.table, promises });
  const slices = slicesOf(plan, run.answers, gathered.gathering.damagedUnits);
  if (slices.length > 0) {
    await writeSlices(vault, plan, slices);
  }
  const finishedAt = isoOfEpochMillis(deps.clock.nowEpochMillis());
  const after = await stateAfter(vault, { run, gathered, now, slices, finishedAt });
  const others = [...gathered.others, ...countInherited(gathered, after.inherited)];
  if (kindsOf(gathered.gathering.counts).length > 0) {
    await writeFindings(vault, plan, allSightings(stores, run, others), promises);
  }
  const record: Verification = {
    ...recordOf(run, gathered, finishedAt),
    snapshots: [...after.whole],
    visible: [...now.table.keys()],
    state: after.state,
  };
  await assertLockHeld(work, lockKey, nonce);
  const created = await createJson(vault, verificationKey(backup, plan.id), record);
  return created === 'created' ? record : ((await readRecord(vault, plan)) ?? record);
}

/** Counts each cause once, however many suffer from it. @returns what to write down */
function countInherited({ gathering }: GatheredRun, inherited: readonly Inherited[]): readonly Sighting[] {
  for (const { sighting } of new Map(inherited.map((each) => [each.cause, each])).values()) {
    gathering.count(sighting);
  }
  return inherited.map(({ level, sighting }) => ({ ...sighting, level }));
}

function recordOf(
  run: RunToGather,
  { gathering }: GatheredRun,
  finishedAt: string,
): Omit<Verification, 'snapshots' | 'state'> {
  const { plan, drill } = run;
  return {
    formatVersion: FORMAT_VERSION,
    id: plan.id,
    backup: plan.run.backup,
    level: plan.run.level,
    scope: plan.scope,
    execution: plan.run.execution,
    executionArn: plan.run.executionArn,
    startedAt: plan.startedAt,
    finishedAt,
    checked: checkedBy(run, gathering.checked),
    findings: gathering.counts,
    ...(drill?.outcome === 'good' ? { drill: drill.drill } : {}),
  };
}

function checkedBy({ plan, answers, drill }: RunToGather, read: Amount): Amount {
  switch (plan.run.level) {
    case 'present':
      return answers.map(({ looked }) => looked).reduce(addAmounts, NO_AMOUNT);
    case 'read':
      return read;
    case 'restored':
      return drill?.outcome === 'good' ? { parts: drill.drill.parts, bytes: drill.drill.bytes } : NO_AMOUNT;
    default:
      return plan.run.level satisfies never;
  }
}

/** Readers of a backup are few; those of this execution are ours, also what a ghost of the planning held. */
async function letGo(work: ObjectStore, { run }: VerifyPlan): Promise<void> {
  for await (const { key } of work.list(holdsOfBackup(run.backup))) {
    if (key.endsWith(`/${holdName(run.executionArn)}`)) {
      await work.delete(key);
    }
  }
  await releaseLock(work, verifyLockKey(run.backup), run.nonce);
}

function answerOf(verification: Verification, drill: DrillVerdict | undefined): Concluded {
  const told = tell(verification, { findingsKey: findingsKey(verification.backup, verification.id), drill });
  const failure = failureOf(verification, told, drill);
  return { outcome: 'verified', verification: told, ...(failure === undefined ? {} : { failure }) };
}

function failureOf(
  verification: Verification,
  told: Told,
  drill: DrillVerdict | undefined,
): Concluded['failure'] | undefined {
  const worst = worstOf(verification);
  const problem = `The verification of backup '${verification.backup}' (${verification.level}) found ${told.found}.`;
  if (worst !== undefined) {
    const error = new (worst === 'damage' ? DamageFound : ProtectionWeakened)(problem, { hint: told.next });
    return { error: error.name, cause: error.message };
  }
  return drill?.outcome === 'unknown' ? { error: drill.error, cause: drill.cause } : undefined;
}
