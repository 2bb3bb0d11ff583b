import * as z from 'zod/mini';
import { awaitRelease } from '../core/jobs/release.ts';
import { pollSchema, snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'await-release',
  input: z.object({ run: snapshotRunSchema, poll: pollSchema }),
  run: ({ run, poll }) => awaitRelease(work, run, poll),
});
