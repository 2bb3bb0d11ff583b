import { S3Error } from './s3-error.ts';

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE';

export interface Retention {
  readonly mode: RetentionMode;
  readonly retainUntilEpochMillis: number;
}

/** The lock of one version. */
export interface ObjectLock {
  readonly retention?: Retention | undefined;
  readonly legalHold?: 'ON' | 'OFF' | undefined;
}

export function parseRetentionMode(text: string): RetentionMode {
  if (text === 'GOVERNANCE' || text === 'COMPLIANCE') return text;
  throw new S3Error('InvalidArgument', 'Unknown wormMode directive.');
}

/** Why a version may not be deleted for ever now; undefined when it may. */
export function refusalToDelete(lock: ObjectLock, now: number, bypassGovernance: boolean): string | undefined {
  if (lock.legalHold === 'ON') return 'Access Denied because object protected by object lock: it is under legal hold.';
  const { retention } = lock;
  if (retention === undefined || retention.retainUntilEpochMillis <= now) return undefined;
  if (retention.mode === 'GOVERNANCE' && bypassGovernance) return undefined;
  const until = new Date(retention.retainUntilEpochMillis).toISOString();
  return `Access Denied because object protected by object lock: ${retention.mode} until ${until}.`;
}

/** Whether retention may be changed: extending always may, loosening only GOVERNANCE with the bypass header. */
export function mayReplaceRetention(
  old: Retention | undefined,
  next: Retention | undefined,
  now: number,
  bypassGovernance: boolean,
): boolean {
  if (old === undefined || old.retainUntilEpochMillis <= now) return true;
  if (old.mode === 'GOVERNANCE' && bypassGovernance) return true;
  if (next === undefined || next.retainUntilEpochMillis < old.retainUntilEpochMillis) return false;
  return old.mode === 'GOVERNANCE' || next.mode === 'COMPLIANCE';
}
