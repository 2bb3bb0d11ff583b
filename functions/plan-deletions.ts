import * as z from 'zod/mini';
import { planDeletions } from '../core/jobs/plan-deletions.ts';
import { maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { keysOf } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'plan-deletions',
  input: z.object({ run: maintainRunSchema }),
  run: ({ run }) => planDeletions({ vault, versions, work, keys: keysOf(run) }, run),
});
