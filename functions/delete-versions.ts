import * as z from 'zod/mini';
import { deleteVersions, deletionProgressSchema } from '../core/jobs/delete-versions.ts';
import { deletionItemSchema } from '../core/maintain/deletions.ts';
import { maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { keysOf } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'delete-versions',
  input: z.object({ run: maintainRunSchema, item: deletionItemSchema, progress: deletionProgressSchema }),
  run: ({ run, item, progress }, { shouldStop }) =>
    deleteVersions({ vault, versions, work, keys: keysOf(run) }, { run, item, progress, shouldStop }),
});
