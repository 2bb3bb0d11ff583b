import * as z from 'zod/mini';
import { finishRestore } from '../core/jobs/finish-restore.ts';
import { restoreRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRestore } from './runtime/restore-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'finish-restore',
  input: z.object({ run: restoreRunSchema }),
  run: async ({ run }) => {
    const { plan, keys } = await openRestore(run);
    return finishRestore({ work, keys, clock }, plan);
  },
});
