import type { BackupConfig } from '../../core/config/schema.ts';
import type { MaintainInput, VerifyInput } from '../../core/execution-input.ts';
import { type Timer, timerName } from './schedule-name.ts';

/** Something that EventBridge Scheduler starts beside snapshots. */
export interface BackupTimer {
  readonly name: string;
  readonly description: string;
  readonly machine: 'maintain' | 'verify';
  readonly expression: string;
  readonly timeZone: string;
  readonly enabled: boolean;
  /** Nobody sits beside it: it waits for its turn. */
  readonly input: MaintainStart | VerifyStart;
}

/** As it is written; what is left out has its default. */
type MaintainStart = Pick<Extract<MaintainInput, { action: 'collect' }>, 'action' | 'backup' | 'wait'>;
type VerifyStart =
  | Pick<Extract<VerifyInput, { level: 'present' }>, 'level' | 'backup' | 'wait'>
  | Pick<Extract<VerifyInput, { level: 'read' }>, 'level' | 'backup' | 'wait' | 'budget'>
  | Pick<Extract<VerifyInput, { level: 'restored' }>, 'level' | 'backup' | 'wait' | 'cluster' | 'drill'>;

/** Weekly looks at everything, nightly reads within a budget, weekly collections, and the drills, as the backup is configured. */
export function timersOf(backup: string, { verify, maintain }: BackupConfig): readonly BackupTimer[] {
  const { budget, ...nightly } = verify.read;
  const begin = (timer: Timer, description: string) => ({
    name: timerName(backup, timer),
    description: `Rankvault: ${description} ${backup}`,
  });
  return [
    {
      ...begin({ kind: 'verify-present' }, 'looks whether everything is there of'),
      ...verify.present,
      machine: 'verify',
      input: { level: 'present', backup, wait: true },
    },
    {
      ...begin({ kind: 'verify-read' }, 'reads and checksums parts of'),
      ...nightly,
      machine: 'verify',
      input: { level: 'read', backup, wait: true, budget },
    },
    {
      ...begin({ kind: 'collect' }, 'frees what nothing names any more of'),
      ...maintain.collect,
      machine: 'maintain',
      input: { action: 'collect', backup, wait: true },
    },
    ...verify.drills.map(({ name, cluster, ...timer }) => ({
      ...timer,
      ...begin({ kind: 'drill', name }, 'tries to restore'),
      machine: 'verify' as const,
      input: { level: 'restored' as const, backup, wait: true, cluster, drill: name },
    })),
  ];
}
