import type { RankvaultConfig } from '../config/schema.ts';
import { retentionSchema } from '../config/schema.ts';
import type { MaintainAction, MaintainInput } from '../execution-input.ts';
import type { LockOwner } from '../locks.ts';
import type { Tombstone } from '../records.ts';
import type { BackupState, StateDependencies } from './backup-state.ts';
import type { KeptEntry } from './report.ts';
import type { HidingFacts } from './tombstones.ts';

export interface MaintenanceDependencies extends StateDependencies {
  readonly config: RankvaultConfig;
}

/** What is decided on, under the locks of the backups. */
export interface Scene {
  readonly deps: MaintenanceDependencies;
  readonly owner: LockOwner;
  /** One; of `drop`, one or more. */
  readonly states: readonly BackupState[];
}

export interface Deciding<Action extends MaintainAction> extends Scene {
  readonly input: Extract<MaintainInput, { action: Action }>;
}

/** What is to be hidden. Nothing is written yet. */
export interface Hiding {
  readonly tombstones: readonly Tombstone[];
  /** Of `expire`. */
  readonly kept?: KeptEntry[];
  /** For the operator, one sentence each. */
  readonly notes: readonly string[];
  /** True: the backup is frozen, and this action leaves it as it is without calling that an error. */
  readonly frozen?: boolean;
}

/** Of a backup that the configuration does not have, the default. */
export function undeleteDaysOf(config: RankvaultConfig, backup: string): number {
  return (config.backups[backup]?.retention ?? retentionSchema.parse({})).undeleteDays;
}

export function hidingFacts(
  { deps, owner, states }: Scene,
  facts: Pick<HidingFacts, 'action' | 'reason'> & { readonly backup: string; readonly immediately: boolean },
): HidingFacts {
  return {
    action: facts.action,
    reason: facts.reason,
    owner,
    atEpochMillis: states[0]?.nowEpochMillis ?? deps.clock.nowEpochMillis(),
    keptForDays: facts.immediately ? 0 : undeleteDaysOf(deps.config, facts.backup),
  };
}

/** Every action but `drop` is of one backup. */
export function only({ states }: Scene): BackupState {
  const [state] = states;
  if (state === undefined) {
    throw new TypeError('No backup was chosen.');
  }
  return state;
}
