import { readDefinition } from '../catalog.ts';
import { definitionOf, digestOf } from '../definition.ts';
import { RecordMissing, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { assertLockHeld } from '../locks.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { recordLockOf } from '../record-lock.ts';
import { type SnapshotRecord, snapshotRecordSchema } from '../records.ts';
import { type Inspection, inspectionSchema, type SnapshotPlan } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { compareUtf8 } from '../utf8-order.ts';
import { definitionKey, recordKey } from '../vault-layout.ts';
import { backupLockKey, type RunKeys } from '../work-layout.ts';
import type { Seal } from './seal-rank.ts';
import { readSeals, totalsOf, writeRanks } from './sealed-ranks.ts';

export interface CommitDependencies {
  readonly vault: ObjectStore;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly clock: Clock;
}

/**
 * Makes the snapshot visible. Everything that the record names is in the vault before it; the record is the last write, and
 * writing it is the commit. A second try finds the record of the same execution and answers it.
 * @throws LockLost, RecordMissing, VaultKeyTaken
 */
export async function commitSnapshot(deps: CommitDependencies, plan: SnapshotPlan): Promise<SnapshotRecord> {
  const key = recordKey(plan.run.backup, plan.run.snapshot);
  const present = await readJson(deps.vault, key, snapshotRecordSchema);
  if (present !== undefined) {
    return ownRecord(present.value, plan, key);
  }
  const seals = await readSeals(deps, plan.run.ranksKey, plan.run.snapshot);
  const inspection = await readInspection(deps);
  const ranksSha256 = await writeRanks(deps.vault, plan.run, seals);
  const definition = await writeDefinition(deps, plan);
  const record = recordOf({ plan, inspection, seals, ranksSha256, definition }, deps.clock.nowEpochMillis());
  await assertLockHeld(deps.work, backupLockKey(plan.run.backup), plan.run.nonce);
  if ((await createJson(deps.vault, key, record)) === 'exists') {
    const raced = await readJson(deps.vault, key, snapshotRecordSchema);
    return raced === undefined ? record : ownRecord(raced.value, plan, key);
  }
  return record;
}

function ownRecord(record: SnapshotRecord, plan: SnapshotPlan, key: string): SnapshotRecord {
  if (record.executionArn !== plan.run.executionArn) {
    throw new VaultKeyTaken(`${key} belongs to execution ${record.execution}.`, {
      hint: 'Nothing was committed by this execution; start it again, it takes a directory of its own.',
    });
  }
  return record;
}

async function readInspection(deps: CommitDependencies): Promise<Inspection> {
  const key = deps.keys.inspection();
  const inspection = await readJson(deps.work, key, inspectionSchema);
  if (inspection === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the snapshot again.' });
  }
  return inspection.value;
}

/** Adds a definition when what the backup covers has changed. */
async function writeDefinition(
  deps: CommitDependencies,
  plan: SnapshotPlan,
): Promise<{ number: number; digest: string }> {
  const { backup, cluster } = plan.run;
  const definition = definitionOf(cluster, plan.cluster);
  const digest = digestOf(definition);
  const newest = await readDefinition(deps.vault, backup);
  if (newest?.digest === digest) {
    return { number: newest.number, digest };
  }
  const number = (newest?.number ?? 0) + 1;
  const since = isoOfEpochMillis(deps.clock.nowEpochMillis());
  const outcome = await createJson(deps.vault, definitionKey(backup, number), {
    formatVersion: FORMAT_VERSION,
    number,
    digest,
    definition,
    since,
  });
  return outcome === 'created' ? { number, digest } : writeDefinition(deps, plan);
}

interface RecordParts {
  readonly plan: SnapshotPlan;
  readonly inspection: Inspection;
  readonly seals: readonly Seal[];
  readonly ranksSha256: string;
  readonly definition: { readonly number: number; readonly digest: string };
}

function recordOf(parts: RecordParts, nowEpochMillis: number): SnapshotRecord {
  const { plan, inspection, seals } = parts;
  const { run } = plan;
  const chain = [...new Set([run.snapshot, ...seals.flatMap((seal) => seal.in.map(({ snapshot }) => snapshot))])].sort(
    compareUtf8,
  );
  const directory = inspection.kagentDirectory;
  const takenAt = earliest(seals.map((seal) => seal.listedAt)) ?? plan.startedAt;
  const committedAt = isoOfEpochMillis(nowEpochMillis);
  return {
    formatVersion: FORMAT_VERSION,
    backup: run.backup,
    cluster: run.cluster,
    snapshot: run.snapshot,
    id: plan.id,
    type: run.type,
    requestedType: plan.requestedType,
    reason: plan.reason,
    ...(plan.base === undefined ? {} : { base: plan.base }),
    full: plan.full,
    chain,
    takenAt,
    startedAt: plan.startedAt,
    committedAt,
    execution: run.execution,
    executionArn: run.executionArn,
    ...(plan.schedule === undefined ? {} : { schedule: plan.schedule }),
    ...(plan.scheduledTime === undefined ? {} : { scheduledTime: plan.scheduledTime }),
    source: {
      kind: plan.cluster.source.kind,
      ...(directory === undefined ? {} : { directory }),
      quiesced: run.quiesce,
    },
    definition: parts.definition,
    ...(inspection.serverVersion === undefined ? {} : { serverVersion: inspection.serverVersion }),
    topology: inspection.topology,
    totals: totalsOf(seals),
    ranksSha256: parts.ranksSha256,
    ...lockOf(plan, { takenAt, committedAt }),
  };
}

/** A plan that does not say how long its base is locked promises nothing of it. */
function lockOf(
  plan: SnapshotPlan,
  times: { readonly takenAt: string; readonly committedAt: string },
): Pick<SnapshotRecord, 'lock'> {
  const { objectLock, base, startedAt } = plan;
  if (objectLock === undefined) {
    return {};
  }
  const baseLockedUntil = base === undefined ? {} : { baseLockedUntil: plan.baseLockedUntil ?? startedAt };
  return { lock: recordLockOf({ objectLock, startedAt, ...times, ...baseLockedUntil }) };
}

function earliest(times: readonly string[]): string | undefined {
  return [...times].sort(compareUtf8)[0];
}
