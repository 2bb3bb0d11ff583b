import * as z from 'zod/mini';
import { openSource } from '../adapters/roots/open-cluster.ts';
import { rankNameSchema } from '../core/ids.ts';
import { fenceProgressSchema, fenceRank } from '../core/jobs/fence-rank.ts';
import { snapshotRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { access, openPass } from './runtime/snapshot-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'fence-rank',
  input: z.object({ run: snapshotRunSchema, rank: rankNameSchema, progress: fenceProgressSchema }),
  run: async ({ run, rank, progress }, { shouldStop }) => {
    const { keys, roots } = await openPass(run, 'final');
    const source = openSource(access, roots);
    return fenceRank({ work, keys, source }, { rank, quiesced: run.quiesce, progress, shouldStop });
  },
});
