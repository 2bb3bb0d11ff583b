import * as z from 'zod/mini';
import { openSource } from '../adapters/roots/open-cluster.ts';
import { rankNameSchema } from '../core/ids.ts';
import { enumerateProgressSchema, enumerateRank } from '../core/jobs/enumerate-rank.ts';
import { passSchema, snapshotRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { access, openPass } from './runtime/snapshot-run.ts';
import { vault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'enumerate-rank',
  input: z.object({
    run: snapshotRunSchema,
    pass: passSchema,
    rank: rankNameSchema,
    progress: enumerateProgressSchema,
  }),
  run: async ({ run, pass, rank, progress }, { id, shouldStop }) => {
    const { plan, keys, roots } = await openPass(run, pass);
    const source = openSource(access, roots);
    return enumerateRank(
      { work, vault, keys, source, clock },
      { plan, pass, rank, progress, invocation: id, shouldStop },
    );
  },
});
