import { executionStartSchema } from '../core/execution-input.ts';
import { planSnapshot } from '../core/jobs/plan-snapshot.ts';
import { clock } from './runtime/clock.ts';
import { deployedConfig } from './runtime/config.ts';
import { defineFunction } from './runtime/define-function.ts';
import { siteFunctions } from './runtime/environment.ts';
import { executions } from './runtime/executions.ts';
import { lockedVault, work } from './runtime/stores.ts';

const config = deployedConfig();

export const handler = defineFunction({
  name: 'plan-snapshot',
  input: executionStartSchema,
  run: (start) =>
    planSnapshot(
      { vault: lockedVault(config.vault.objectLock), work, executions, clock, config, siteFunctions: siteFunctions() },
      start,
    ),
});
