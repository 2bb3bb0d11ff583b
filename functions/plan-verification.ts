import { executionStartSchema } from '../core/execution-input.ts';
import { planVerification } from '../core/jobs/plan-verification.ts';
import { clock } from './runtime/clock.ts';
import { deployedConfig } from './runtime/config.ts';
import { defineFunction } from './runtime/define-function.ts';
import { executions } from './runtime/executions.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

const config = deployedConfig();

export const handler = defineFunction({
  name: 'plan-verification',
  input: executionStartSchema,
  run: (start) => planVerification({ vault, versions, work, executions, clock, config }, start),
});
