import { createHash } from 'node:crypto';
import { assertName, type RankName, rankDirectory } from './ids.ts';

/** Every key of the work bucket. Nothing here is needed by a restore of a committed snapshot; a lifecycle rule expires it. */
export type Machine = 'Snapshot' | 'Restore' | 'Release' | 'Maintain' | 'Verify';

export const LOCKS_PREFIX = 'locks/';
export const backupLockKey = (backup: string): string => {
  assertName('backup', backup);
  return `locks/backup/${backup}.json`;
};
/** Verifications of one backup never interleave, and hinder neither snapshots nor maintenance. */
export const verifyLockKey = (backup: string): string => {
  assertName('backup', backup);
  return `locks/verify/${backup}.json`;
};
export const clusterLockKey = (cluster: string): string => {
  assertName('cluster', cluster);
  return `locks/cluster/${cluster}.json`;
};
export const QUIESCE_PREFIX = 'quiesce/';
/** Intent record: who put the cluster into backup mode, or is about to. */
export const quiesceKey = (cluster: string): string => {
  assertName('cluster', cluster);
  return `${QUIESCE_PREFIX}${cluster}.json`;
};
export const HOLDS_PREFIX = 'holds/';
export const holdsOfBackup = (backup: string): string => `${HOLDS_PREFIX}${backup}/`;
/** Readers of a snapshot; while one is here, nothing of the snapshot is deleted. */
export const holdsPrefix = (backup: string, snapshot: string): string => `${holdsOfBackup(backup)}${snapshot}/`;
/** Executions of two machines may have the same name, so that the ARN makes the key. */
export const holdName = (executionArn: string): string =>
  `${createHash('sha256').update(executionArn).digest('hex').slice(0, 24)}.json`;
export const holdKey = (backup: string, snapshot: string, executionArn: string): string =>
  `${holdsPrefix(backup, snapshot)}${holdName(executionArn)}`;
export const SWEPT_PREFIX = 'swept/';
/**
 * What the last sweep of a directory left behind, so that the next one may skip it. Losing it costs a listing, nothing else.
 */
export const sweptKey = (backup: string, snapshot: string): string => `${SWEPT_PREFIX}${backup}/${snapshot}.json`;

/** Keys of one execution: frozen configuration, plans, batches, receipts, failure records, Map results. */
export class RunKeys {
  readonly prefix: string;

  constructor(machine: Machine, execution: string) {
    this.prefix = `runs/${machine}/${execution}/`;
  }

  readonly plan = (): string => `${this.prefix}plan.json`;
  readonly ranks = (): string => `${this.prefix}ranks.json`;
  readonly inspection = (): string => `${this.prefix}inspection.json`;
  readonly failuresPrefix = (): string => `${this.prefix}failures/`;
  readonly failure = (id: string): string => `${this.failuresPrefix()}${id}.json`;
  readonly results = (map: string): string => `${this.prefix}results/${map}`;
  /** Write-once: the first enumeration of a rank that finishes is the enumeration. */
  readonly enumeration = (pass: string, rank: RankName): string =>
    `${this.prefix}${pass}/enumerations/${rankDirectory(rank)}.json`;
  readonly segment = (pass: string, rank: RankName, segment: string): string =>
    `${this.prefix}${pass}/segments/${rankDirectory(rank)}/${segment}.jsonl.gz`;
  readonly batch = (pass: string, rank: RankName, batch: string): string =>
    `${this.prefix}${pass}/batches/${rankDirectory(rank)}/${batch}.jsonl.gz`;
  readonly batchList = (pass: string): string => `${this.prefix}${pass}/batches.jsonl`;
  readonly receiptsPrefix = (pass: string, rank: RankName, batch: string): string =>
    `${this.prefix}${pass}/receipts/${rankDirectory(rank)}/${batch}/`;
  readonly receipts = (pass: string, rank: RankName, batch: string, window: number): string =>
    `${this.receiptsPrefix(pass, rank, batch)}${String(window).padStart(5, '0')}.jsonl.gz`;
  readonly upload = (pass: string, rank: RankName, batch: string): string =>
    `${this.prefix}${pass}/uploads/${rankDirectory(rank)}/${batch}.json`;
  readonly seal = (rank: RankName): string => `${this.prefix}seals/${rankDirectory(rank)}.json`;
  /** What InspectTarget found; where it goes on with an earlier try of the same restore. */
  readonly target = (): string => `${this.prefix}target.json`;
  readonly comparison = (rank: RankName): string => `${this.prefix}comparisons/${rankDirectory(rank)}.json`;
  readonly actions = (phase: string, rank: RankName, batch: string): string =>
    `${this.prefix}${phase}/batches/${rankDirectory(rank)}/${batch}.jsonl.gz`;
  readonly doneWindowsPrefix = (phase: string, rank: RankName, batch: string): string =>
    `${this.prefix}${phase}/done/${rankDirectory(rank)}/${batch}/`;
  readonly doneWindow = (phase: string, rank: RankName, batch: string, window: number): string =>
    `${this.doneWindowsPrefix(phase, rank, batch)}${String(window).padStart(5, '0')}.json`;
  readonly donePrefix = (phase: string): string => `${this.prefix}${phase}/done/`;
  /** Units of work of a Map beside ranks and batches: JSON Lines. */
  readonly units = (map: string): string => `${this.prefix}${map}/units.jsonl`;
  /** Write-once: the first answer of a unit that is complete is its answer. */
  readonly unit = (map: string, unit: string): string => `${this.prefix}${map}/done/${unit}.json`;
  readonly unitPiece = (map: string, unit: string, piece: string): string =>
    `${this.prefix}${map}/pieces/${unit}/${piece}.jsonl.gz`;
  readonly report = (): string => `${this.prefix}report.json`;
}
