import type { ObjectLockConfig, SnapshotType } from './config/schema.ts';
import type { SnapshotRecord } from './records.ts';
import { compareUtf8 } from './utf8-order.ts';

/** What a snapshot is built on, and why, in words for the record and the operator. */
export type BaseChoice =
  | { readonly type: 'full'; readonly reason: string }
  | { readonly type: 'incremental' | 'differential'; readonly base: SnapshotRecord; readonly reason: string };

export interface BaseQuestion {
  readonly requested: SnapshotType;
  /** Visible snapshots of the backup whose records can be read, oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Directories of visible snapshots whose records cannot. */
  readonly unreadable: readonly string[];
  /** Snapshots that must not be built upon, each with why; `unknown` when that cannot be said of any. */
  readonly unsound: ReadonlyMap<string, string> | 'unknown';
  /** Digest of what the backup covers now. */
  readonly definitionDigest: string;
  /** Start of the newest restore that changed the cluster's files, ISO 8601. */
  readonly restoredAt: string | undefined;
  /** What the new snapshot will promise with Object Lock; undefined without. */
  readonly promise: LockPromise | undefined;
}

export interface LockPromise {
  readonly mode: ObjectLockConfig['mode'];
  /** ISO 8601: everything that the snapshot names has to be locked until then. */
  readonly until: string;
}

/** Never fails: where nothing can be built upon, the answer is a full that says why. */
export function chooseBase(question: BaseQuestion): BaseChoice {
  const { requested, snapshots } = question;
  if (requested === 'full') {
    return { type: 'full', reason: 'A full was asked for.' };
  }
  const base = requested === 'incremental' ? snapshots.at(-1) : snapshots.findLast((record) => record.type === 'full');
  const skipped = skippedFor(base, question.unreadable);
  const obstacle = base === undefined ? 'there is no earlier snapshot to build on' : obstacleTo(base, question);
  if (base === undefined || obstacle !== undefined) {
    return fullInstead(requested, `${obstacle}${skipped === '' ? '' : `; the record of ${skipped} cannot be read`}`);
  }
  const newest = `the newest ${requested === 'incremental' ? 'snapshot' : 'full'}`;
  const also = skipped === '' ? '' : ` whose record can be read; that of ${skipped} cannot`;
  return { type: requested, base, reason: `Builds on ${base.snapshot}, ${newest}${also}.` };
}

export function fullInstead(requested: 'incremental' | 'differential', obstacle: string): BaseChoice {
  const article = requested === 'incremental' ? 'An incremental' : 'A differential';
  return { type: 'full', reason: `${article} was asked for, but ${obstacle.replace(/\.$/, '')}.` };
}

/** Records that nobody can read and that might be the base: their moments are not known, their directories are. */
function skippedFor(base: SnapshotRecord | undefined, unreadable: readonly string[]): string {
  const later = unreadable.filter((snapshot) => base === undefined || compareUtf8(snapshot, base.snapshot) > 0);
  return later.sort(compareUtf8).join(', ');
}

function obstacleTo(base: SnapshotRecord, question: BaseQuestion): string | undefined {
  const { unsound } = question;
  if (base.definition.digest !== question.definitionDigest) {
    return `what the backup covers has changed since ${base.snapshot}`;
  }
  if (question.restoredAt !== undefined && question.restoredAt >= base.takenAt) {
    return `the cluster was restored at ${question.restoredAt}, after ${base.snapshot}`;
  }
  if (unsound === 'unknown') {
    return `the newest verification cannot be read, which would say whether ${base.snapshot} is sound`;
  }
  const unsoundOne = unsoundBelow(base, question.snapshots, unsound);
  if (unsoundOne !== undefined) {
    return unsoundOne;
  }
  return question.promise === undefined ? undefined : lockObstacle(base, question.promise);
}

/**
 * Also what the base rests on: whose bytes it names, and whose lines it carries. A base that was committed while a verification found damage
 * below it has not been held against that yet.
 */
function unsoundBelow(
  base: SnapshotRecord,
  snapshots: readonly SnapshotRecord[],
  unsound: ReadonlyMap<string, string>,
): string | undefined {
  const { snapshot } = base;
  const member = [...lineOf(base, snapshots), ...base.chain.toReversed()].find((each) => unsound.has(each));
  if (member === undefined) {
    return undefined;
  }
  const finding = unsound.get(member)?.replace(/\.$/, '');
  return member === snapshot
    ? `${snapshot} cannot be built upon: ${finding}`
    : `${snapshot} builds on ${member}, which cannot be built upon: ${finding}`;
}

/** The snapshot, its base, the base of that: as far as they are visible. */
function* lineOf(newest: SnapshotRecord, snapshots: readonly SnapshotRecord[]): Generator<string> {
  const records = new Map(snapshots.map((record) => [record.snapshot, record]));
  for (let next: SnapshotRecord | undefined = newest; next !== undefined; next = records.get(next.base ?? '')) {
    yield next.snapshot;
    records.delete(next.snapshot);
  }
}

/** Bytes that the new snapshot would carry keep the lock that they have. */
function lockObstacle({ snapshot, full: root, lock }: SnapshotRecord, promise: LockPromise): string | undefined {
  if (lock === undefined) {
    return `${snapshot} was taken without Object Lock`;
  }
  if (promise.mode === 'COMPLIANCE' && lock.mode !== promise.mode) {
    return `${snapshot} is locked in mode ${lock.mode}`;
  }
  return lock.chainUntil < promise.until
    ? `the lock of ${root} ends before this snapshot's would (${lock.chainUntil}, ${promise.until})`
    : undefined;
}
