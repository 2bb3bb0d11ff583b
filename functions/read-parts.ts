import * as z from 'zod/mini';
import { readParts, readProgressSchema } from '../core/jobs/read-parts.ts';
import { verifyRunSchema } from '../core/run.ts';
import { readItemSchema } from '../core/verify/verify-plan.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { reader } from './runtime/part-reader.ts';
import { work } from './runtime/stores.ts';
import { openVerify } from './runtime/verify-run.ts';

/** Parts read at a time in one Lambda: each has a chunk of the network's in memory, and its checksum takes a part of one processor. */
const READS_AT_A_TIME = 32;

export const handler = defineFunction({
  name: 'read-parts',
  input: z.object({ run: verifyRunSchema, item: readItemSchema, progress: readProgressSchema }),
  run: async ({ run, item, progress }, { shouldStop }) => {
    const { plan, keys } = await openVerify(run);
    return readParts({ work, keys, reader, clock, concurrency: READS_AT_A_TIME }, { plan, item, progress, shouldStop });
  },
});
