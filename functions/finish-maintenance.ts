import * as z from 'zod/mini';
import { finishMaintenance } from '../core/jobs/finish-maintenance.ts';
import { maintainRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { executions } from './runtime/executions.ts';
import { keysOf } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'finish-maintenance',
  input: z.object({ run: maintainRunSchema }),
  run: ({ run }) => finishMaintenance({ vault, versions, work, executions, keys: keysOf(run), clock }, run),
});
