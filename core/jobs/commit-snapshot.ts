import { readDefinition } from '../catalog.ts';
import { definitionOf, digestOf } from '../definition.ts';
import { streamOf } from '../draft-writer.ts';
import { RecordMissing, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { assertLockHeld } from '../locks.ts';
import { digestOfObject, ranksBytes } from '../manifest-io.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { addTotals, NO_TOTALS, type RankLine, type SnapshotRecord, snapshotRecordSchema } from '../records.ts';
import { type Inspection, inspectionSchema, type SnapshotPlan } from '../run.ts';
import { createJson, readJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { compareUtf8 } from '../utf8-order.ts';
import { definitionKey, ranksKey, recordKey } from '../vault-layout.ts';
import { backupLockKey, type RunKeys } from '../work-layout.ts';
import { readRankList } from './plan-copies.ts';
import { type Seal, sealSchema } from './seal-rank.ts';

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
  const seals = await readSeals(deps, plan);
  const inspection = await readInspection(deps);
  const ranksSha256 = await writeRanks(deps, plan, seals);
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

async function readSeals(deps: CommitDependencies, plan: SnapshotPlan): Promise<readonly Seal[]> {
  const seals: Seal[] = [];
  for (const rank of await readRankList(deps.work, plan.run.ranksKey)) {
    const seal = await readJson(deps.work, deps.keys.seal(rank), sealSchema);
    if (seal === undefined) {
      throw new RecordMissing(`Rank ${rank} of ${plan.run.snapshot} is not sealed.`, {
        hint: 'Nothing was committed; start the snapshot again.',
      });
    }
    seals.push(seal.value);
  }
  return seals;
}

async function readInspection(deps: CommitDependencies): Promise<Inspection> {
  const key = deps.keys.inspection();
  const inspection = await readJson(deps.work, key, inspectionSchema);
  if (inspection === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the snapshot again.' });
  }
  return inspection.value;
}

async function writeRanks(deps: CommitDependencies, plan: SnapshotPlan, seals: readonly Seal[]): Promise<string> {
  const { backup, snapshot } = plan.run;
  const key = ranksKey(backup, snapshot);
  const lines = seals.map(({ formatVersion: _version, listedAt: _listedAt, ...line }): RankLine => line);
  const written = await deps.vault.createStream(
    key,
    ranksBytes({ formatVersion: FORMAT_VERSION, backup, snapshot }, streamOf(lines)),
  );
  if (written.outcome === 'exists' && (await digestOfObject(deps.vault, key)) !== written.sha256) {
    throw new VaultKeyTaken(`${key} exists with other ranks than those of this run.`, {
      hint: 'Nothing was committed; start the snapshot again, it takes a directory of its own.',
    });
  }
  return written.sha256;
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
    takenAt: earliest(seals.map((seal) => seal.listedAt)) ?? plan.startedAt,
    startedAt: plan.startedAt,
    committedAt: isoOfEpochMillis(nowEpochMillis),
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
    totals: seals.map((seal) => seal.totals).reduce(addTotals, NO_TOTALS),
    ranksSha256: parts.ranksSha256,
  };
}

function earliest(times: readonly string[]): string | undefined {
  return [...times].sort(compareUtf8)[0];
}
