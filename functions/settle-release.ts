import * as z from 'zod/mini';
import { settleRelease } from '../core/jobs/release.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { schedules } from './runtime/schedules.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'settle-release',
  input: z.object({ release: z.object({ cluster: z.string(), nonce: z.string() }) }),
  run: async ({ release }) => {
    await settleRelease({ work, schedules, clock }, release);
    return { settled: true };
  },
});
