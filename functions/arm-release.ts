import * as z from 'zod/mini';
import { copiesPlanSchema } from '../core/jobs/plan-copies.ts';
import { armRelease } from '../core/jobs/release.ts';
import { snapshotRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { schedules } from './runtime/schedules.ts';
import { openRun } from './runtime/snapshot-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'arm-release',
  // Without a warm pass the state has something else there.
  input: z.object({ run: snapshotRunSchema, copies: z.catch(z.optional(copiesPlanSchema), undefined) }),
  run: async ({ run, copies }) => {
    const { plan } = await openRun(run);
    return armRelease({ work, schedules, clock }, plan, copies);
  },
});
