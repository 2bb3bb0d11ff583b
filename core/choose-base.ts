import type { SnapshotType } from './config/schema.ts';
import type { SnapshotRecord } from './records.ts';

/** What a snapshot is built on, and why, in words for the record and the operator. */
export type BaseChoice =
  | { readonly type: 'full'; readonly reason: string }
  | { readonly type: 'incremental' | 'differential'; readonly base: SnapshotRecord; readonly reason: string };

export interface BaseQuestion {
  readonly requested: SnapshotType;
  /** Visible snapshots of the backup, oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Digest of what the backup covers now. */
  readonly definitionDigest: string;
  /** Start of the newest restore that changed the cluster's files, ISO 8601. */
  readonly restoredAt: string | undefined;
}

/** Never fails: where nothing can be built upon, the answer is a full that says why. */
export function chooseBase(question: BaseQuestion): BaseChoice {
  const { requested, snapshots } = question;
  if (requested === 'full') {
    return { type: 'full', reason: 'A full was asked for.' };
  }
  const base = requested === 'incremental' ? snapshots.at(-1) : snapshots.findLast((record) => record.type === 'full');
  if (base === undefined) {
    return {
      type: 'full',
      reason: `${article(requested)} was asked for, but there is no earlier snapshot to build on.`,
    };
  }
  const obstacle = obstacleTo(base, question);
  if (obstacle !== undefined) {
    return { type: 'full', reason: `${article(requested)} was asked for, but ${obstacle}.` };
  }
  return {
    type: requested,
    base,
    reason: `Builds on ${base.snapshot}, the newest ${requested === 'incremental' ? 'snapshot' : 'full'}.`,
  };
}

function obstacleTo(base: SnapshotRecord, question: BaseQuestion): string | undefined {
  if (base.definition.digest !== question.definitionDigest) {
    return `what the backup covers has changed since ${base.snapshot}`;
  }
  if (question.restoredAt !== undefined && question.restoredAt >= base.takenAt) {
    return `the cluster was restored at ${question.restoredAt}, after ${base.snapshot}`;
  }
  return undefined;
}

function article(type: 'incremental' | 'differential'): string {
  return type === 'incremental' ? 'An incremental' : 'A differential';
}
