import { executionStartSchema } from '../core/execution-input.ts';
import { planMaintenance } from '../core/jobs/plan-maintenance.ts';
import { clock } from './runtime/clock.ts';
import { deployedConfig } from './runtime/config.ts';
import { defineFunction } from './runtime/define-function.ts';
import { executions } from './runtime/executions.ts';
import { lockedVault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

const config = deployedConfig();

export const handler = defineFunction({
  name: 'plan-maintenance',
  input: executionStartSchema,
  run: (start) =>
    planMaintenance({ vault: lockedVault(config.vault.objectLock), versions, work, executions, clock, config }, start),
});
