import type { BackupMode, StopVerdict } from '../../core/ports/cluster-control.ts';
import type { ProbeResult } from './client-calls.ts';
import type { HostManagerAnswer, HostManagerRecord } from './host-manager.ts';

/**
 * Backup mode has no documented sign. The likely one is `cluster_operation: backing_up` at the host manager, a name from the
 * server's event catalog. Read-only workers beside a quiet host manager contradict each other: nothing is concluded then.
 */
export function decideBackupMode(
  hostManager: HostManagerAnswer,
  readOnlyWorkers: readonly number[],
): { readonly backupMode: BackupMode; readonly backupModeEvidence: string } {
  if (hostManager.kind !== 'answered') {
    const why = hostManager.kind === 'closed' ? 'its port is closed' : hostManager.reason;
    return { backupMode: 'unknown', backupModeEvidence: `The host manager did not answer: ${why}.` };
  }
  const operation = operationWord(hostManager.record);
  if (operation === undefined) {
    return { backupMode: 'unknown', backupModeEvidence: 'The host manager shows no cluster_operation.' };
  }
  if (operation === 'backing_up') {
    return { backupMode: 'backing_up', backupModeEvidence: 'The host manager says cluster_operation backing_up.' };
  }
  const says = `The host manager says cluster_operation ${operation}`;
  if (readOnlyWorkers.length === 0) return { backupMode: 'normal', backupModeEvidence: `${says}.` };
  return { backupMode: 'unknown', backupModeEvidence: `${says}, but ${readOnlyWorkers.length} workers are read-only.` };
}

/** Any operation but a backup; a word that is not known counts as one, because waiting does no harm. */
export function showsOtherOperation(hostManager: HostManagerAnswer): boolean {
  if (hostManager.kind !== 'answered') return false;
  const operation = operationWord(hostManager.record);
  return operation !== undefined && operation !== 'none' && operation !== 'backing_up';
}

function operationWord(record: HostManagerRecord): string | undefined {
  const word = record.cluster_operation?.trim().toLowerCase();
  return word === '' ? 'none' : word;
}

interface StopEvidence {
  readonly head: ProbeResult;
  readonly hostManager: HostManagerAnswer;
  /** Configured or published, not guessed: a closed port proves something only where the host manager should listen. */
  readonly hostManagerAddressKnown: boolean;
  /** The base URL leads through a proxy: a closed port, or an answer, may then be the proxy's own. */
  readonly proxied: boolean;
}

/** `stopped` needs a denial by the head and one by the host manager; files are overwritten on the strength of it. */
export function decideStopped(evidence: StopEvidence): StopVerdict {
  const { head, hostManager, proxied } = evidence;
  const manager = hostManagerVerdict(hostManager);
  if (head.kind === 'answered' && head.httpStatus >= 200 && head.httpStatus < 300) return 'running';
  if (manager === 'running') return 'running';
  if (proxied) return isProxyWithoutBackend(head) && manager === 'stopped' ? 'stopped' : 'unknown';
  const managerDenies = manager === 'stopped' || (hostManager.kind === 'closed' && evidence.hostManagerAddressKnown);
  return head.kind === 'closed' && managerDenies ? 'stopped' : 'unknown';
}

/** 502: the bundled proxy when rank 0 was killed behind it; 503 and 504 mean the same of other proxies. */
function isProxyWithoutBackend(head: ProbeResult): boolean {
  return head.kind === 'answered' && [502, 503, 504].includes(head.httpStatus);
}

const ALIVE_WORDS = ['running', 'starting', 'limited', 'shutdown'];

/** Status words of the event catalog. A system called stopped with a live rank is not stopped. */
function hostManagerVerdict(answer: HostManagerAnswer): StopVerdict {
  if (answer.kind !== 'answered') return 'unknown';
  const words = Object.entries(answer.record)
    .filter(([key]) => key === 'system_status' || /^rank\d+_status$/.test(key))
    .map(([, value]) => String(value).trim().toLowerCase());
  if (words.some((word) => ALIVE_WORDS.includes(word))) return 'running';
  return answer.record.system_status?.trim().toLowerCase() === 'stopped' ? 'stopped' : 'unknown';
}
