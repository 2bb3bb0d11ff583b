import { executionStartSchema } from '../core/execution-input.ts';
import { planRestore } from '../core/jobs/plan-restore.ts';
import { clock } from './runtime/clock.ts';
import { deployedConfig } from './runtime/config.ts';
import { defineFunction } from './runtime/define-function.ts';
import { siteFunctions } from './runtime/environment.ts';
import { executions } from './runtime/executions.ts';
import { vault, work } from './runtime/stores.ts';

const config = deployedConfig();

export const handler = defineFunction({
  name: 'plan-restore',
  input: executionStartSchema,
  run: (start) => planRestore({ vault, work, executions, clock, config, siteFunctions: siteFunctions() }, start),
});
