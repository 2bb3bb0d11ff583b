import type { RankvaultConfig } from '../config/schema.ts';
import type { MaintainInput } from '../execution-input.ts';
import type { LockOwner } from '../locks.ts';
import type { MaintainRun } from '../run.ts';
import type { RunKeys } from '../work-layout.ts';

/** Units surveyed, and batches deleted, at a time; where the configuration says otherwise for the backup, that. */
const CONCURRENCY = 40;

/** Before anything is decided: nothing to merge, nothing to survey. */
export function maintainRunOf(
  config: RankvaultConfig,
  of: { readonly keys: RunKeys; readonly owner: LockOwner; readonly input: MaintainInput },
): MaintainRun {
  const { keys, owner, input } = of;
  const options = config.backups[input.backup]?.options;
  return {
    machine: 'Maintain',
    execution: owner.execution,
    executionArn: owner.executionArn,
    nonce: owner.nonce,
    prefix: keys.prefix,
    action: input.action,
    backup: input.backup,
    dryRun: input.dryRun,
    merges: false,
    ranksKey: keys.ranks(),
    batchesKey: keys.batchList('final'),
    unitsKey: keys.units('survey'),
    units: 0,
    deletionsKey: keys.units('deletions'),
    rankConcurrency: options?.rankConcurrency ?? CONCURRENCY,
    copyConcurrency: options?.copyConcurrency ?? CONCURRENCY,
    resultsPrefix: keys.results(''),
  };
}
