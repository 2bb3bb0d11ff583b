import * as z from 'zod/mini';
import { planRelease } from '../core/jobs/release.ts';
import { defineFunction } from './runtime/define-function.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'plan-release',
  input: z.object({ input: z.unknown() }),
  run: ({ input }) => planRelease(work, input),
});
