/**
 * Every named error of Rankvault. The name is a literal, because Step Functions matches `Retry` and `Catch` by it and
 * an Error subclass without its own `name` is just "Error" there; `infra/` imports the same lists.
 *
 * transient: the same call may succeed later, the workflow retries it; conflict: somebody else is at work, wait or ask;
 * fatal: retrying cannot help, a person has to act.
 */
export type ErrorFamily = 'transient' | 'conflict' | 'fatal';

export interface ErrorDetails {
  /** What the operator should do now, as one sentence. */
  readonly hint: string;
  readonly cause?: unknown;
}

export abstract class RankvaultError extends Error {
  abstract override readonly name: string;
  abstract readonly family: ErrorFamily;
  readonly hint: string;
  /** What is wrong, without the hint. `message` is both, so that every log and Step Functions cause ends in what to do. */
  readonly problem: string;

  constructor(problem: string, details: ErrorDetails) {
    super(`${problem} ${details.hint}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.problem = problem;
    this.hint = details.hint;
  }
}

abstract class TransientError extends RankvaultError {
  readonly family = 'transient';
}
abstract class ConflictError extends RankvaultError {
  readonly family = 'conflict';
}
abstract class FatalError extends RankvaultError {
  readonly family = 'fatal';
}

/** S3 or another AWS service throttled, answered 5xx, or dropped the connection after the SDK's own retries. */
export class StoreUnavailable extends TransientError {
  override readonly name = 'StoreUnavailable';
}

/** Another execution holds the backup's lock. */
export class BackupInProgress extends ConflictError {
  override readonly name = 'BackupInProgress';
}
/** Another execution (a snapshot or a restore) holds the cluster's lock. */
export class ClusterBusy extends ConflictError {
  override readonly name = 'ClusterBusy';
}
/** A restore has begun in this root and has not finished. */
export class RestoreInProgress extends ConflictError {
  override readonly name = 'RestoreInProgress';
}
/** The lock, or the quiesce, is no longer this execution's: somebody took over after it seemed dead. */
export class LockLost extends ConflictError {
  override readonly name = 'LockLost';
}
/** The cluster is in backup mode and our own records do not say that we put it there. */
export class BackupModeHeldElsewhere extends ConflictError {
  override readonly name = 'BackupModeHeldElsewhere';
}
/** The cluster adds or removes ranks or rebalances. */
export class ClusterOperationInProgress extends ConflictError {
  override readonly name = 'ClusterOperationInProgress';
}

export class ConfigInvalid extends FatalError {
  override readonly name = 'ConfigInvalid';
}
export class InputInvalid extends FatalError {
  override readonly name = 'InputInvalid';
}
export class NameInvalid extends FatalError {
  override readonly name = 'NameInvalid';
}
/** A path that cannot be a part's name: too long, `..`, empty segments, control characters, or not valid UTF-8. */
export class PartPathInvalid extends FatalError {
  override readonly name = 'PartPathInvalid';
}
/** Two files of one rank have the same part path (two roots, or a directory that looks like a mapped TOM). */
export class PathCollision extends FatalError {
  override readonly name = 'PathCollision';
}
/** A link, socket, pipe or device in a root. */
export class SpecialFile extends FatalError {
  override readonly name = 'SpecialFile';
}
export class RootPatternInvalid extends FatalError {
  override readonly name = 'RootPatternInvalid';
}
/** A root that cannot be read at all: no such bucket or directory, or access denied. */
export class RootUnreadable extends FatalError {
  override readonly name = 'RootUnreadable';
}
/** An S3 source object that cannot be copied as it is: archived storage class or a customer-provided key. */
export class SourceUnreadable extends FatalError {
  override readonly name = 'SourceUnreadable';
}
/** A source part was not what was listed when its bytes were read. */
export class PartChanged extends FatalError {
  override readonly name = 'PartChanged';
}
/** A listed source part was gone when its bytes were to be read. */
export class PartMissing extends FatalError {
  override readonly name = 'PartMissing';
}
/** A write-once key of the vault holds other bytes than those to be written. */
export class VaultKeyTaken extends FatalError {
  override readonly name = 'VaultKeyTaken';
}
/** Bytes do not have the checksum that was recorded for them. */
export class ChecksumMismatch extends FatalError {
  override readonly name = 'ChecksumMismatch';
}
/** A catalog or work object that does not parse, or whose digest is not the recorded one. */
export class CatalogCorrupt extends FatalError {
  override readonly name = 'CatalogCorrupt';
}
/** A catalog or work object written by a newer Rankvault. */
export class FormatTooNew extends FatalError {
  override readonly name = 'FormatTooNew';
}
/** A rank that the topology names has no directory in any root. */
export class RankMissing extends FatalError {
  override readonly name = 'RankMissing';
}
/** A rank's directory lies in a root, and the topology does not know the rank. */
export class UncoveredFiles extends FatalError {
  override readonly name = 'UncoveredFiles';
}
/** The listing of the whole source is empty. */
export class NothingToBackUp extends FatalError {
  override readonly name = 'NothingToBackUp';
}
/** Files changed between enumeration and fence: the snapshot would not be one point in time. */
export class QuiesceLost extends FatalError {
  override readonly name = 'QuiesceLost';
}
/** The plan needs the cluster quiesced for longer than `maxQuiesceMinutes`. */
export class QuiesceTooLong extends FatalError {
  override readonly name = 'QuiesceTooLong';
}
/** The cluster did not become ready, or quiesced, within the bound on polls. */
export class ClusterNotReady extends FatalError {
  override readonly name = 'ClusterNotReady';
}
/** `end` was sent again and again and the cluster was not seen in normal mode. */
export class ReleaseUnconfirmed extends FatalError {
  override readonly name = 'ReleaseUnconfirmed';
}
/** No complete KAgent snapshot directory is there to be vaulted. */
export class KagentSnapshotMissing extends FatalError {
  override readonly name = 'KagentSnapshotMissing';
}
/** A manifest about to be sealed breaks an invariant of its type. */
export class SealInvariantBroken extends FatalError {
  override readonly name = 'SealInvariantBroken';
}
/** A listing gave its paths out of order or twice: the source changed under it, or the store's order is not S3's. */
export class ListingOutOfOrder extends FatalError {
  override readonly name = 'ListingOutOfOrder';
}
/** A copy step ended without a receipt for a part that the plan names. */
export class ReceiptMissing extends FatalError {
  override readonly name = 'ReceiptMissing';
}
export class SnapshotNotFound extends FatalError {
  override readonly name = 'SnapshotNotFound';
}
/** The target has other ranks, TOMs or roots than the snapshot. */
export class TopologyMismatch extends FatalError {
  override readonly name = 'TopologyMismatch';
}
/** The target cluster runs, or was not proven stopped. */
export class TargetRunning extends FatalError {
  override readonly name = 'TargetRunning';
}
/** Policy `none` and a rank of the target holds files. */
export class TargetNotEmpty extends FatalError {
  override readonly name = 'TargetNotEmpty';
}
/** The snapshot's bytes are not in the vault as its manifest says. */
export class VaultPartMissing extends FatalError {
  override readonly name = 'VaultPartMissing';
}
/** A Map's children failed without leaving a failure record: killed, out of memory, or out of time. */
export class WorkerDied extends FatalError {
  override readonly name = 'WorkerDied';
}
/** Retention, or a request, would remove a snapshot that is pinned. */
export class SnapshotPinned extends FatalError {
  override readonly name = 'SnapshotPinned';
}
/** The backup is frozen: nothing of it is hidden or deleted. */
export class BackupFrozen extends FatalError {
  override readonly name = 'BackupFrozen';
}
/** A backup that the vault does not have, or, for `expire`, that the configuration does not have. */
export class BackupNotFound extends FatalError {
  override readonly name = 'BackupNotFound';
}
/** `undelete` of a snapshot whose bytes may be gone. */
export class UndeleteTooLate extends FatalError {
  override readonly name = 'UndeleteTooLate';
}
/** A restore drill into a cluster that is not declared as scratch. */
export class NotAScratchCluster extends FatalError {
  override readonly name = 'NotAScratchCluster';
}
/** A verification found something that a restore would suffer from. The verification itself is done and recorded. */
export class DamageFound extends FatalError {
  override readonly name = 'DamageFound';
}
/** A verification found no damage, but less protection than promised: versions that are not current, locks that end early. */
export class ProtectionWeakened extends FatalError {
  override readonly name = 'ProtectionWeakened';
}
/** What the release machine or a restore was asked to do does not match the records in the work bucket. */
export class RecordMissing extends FatalError {
  override readonly name = 'RecordMissing';
}

/** Names of the errors that the workflows retry. */
export const TRANSIENT_ERROR_NAMES = ['StoreUnavailable', 'KineticaUnavailable'] as const;
