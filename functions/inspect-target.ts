import * as z from 'zod/mini';
import { assertStopped, inspectTarget } from '../core/jobs/inspect-target.ts';
import { restoreRunSchema } from '../core/run.ts';
import { openControl } from './runtime/control.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRestore, targetOf } from './runtime/restore-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'inspect-target',
  input: z.object({ run: restoreRunSchema, stage: z.enum(['plan', 'activate']) }),
  run: async ({ run, stage }) => {
    const { plan, keys } = await openRestore(run);
    const control = openControl(plan.cluster.control);
    return stage === 'plan'
      ? inspectTarget({ work, keys, target: targetOf(plan), control }, plan)
      : { stopped: await assertStopped(control, plan) };
  },
});
