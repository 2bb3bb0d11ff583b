import * as z from 'zod/mini';
import { chooseKagentDirectory, openSource, rootsOf } from '../adapters/roots/open-cluster.ts';
import { inspectCluster } from '../core/jobs/inspect-cluster.ts';
import { pollSchema, snapshotRunSchema } from '../core/run.ts';
import { openControl } from './runtime/control.ts';
import { defineFunction } from './runtime/define-function.ts';
import { access, openRun } from './runtime/snapshot-run.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'inspect-cluster',
  input: z.object({ run: snapshotRunSchema, poll: pollSchema }),
  run: async ({ run, poll }) => {
    const { plan, keys } = await openRun(run);
    const { cluster, newestKagentDirectory } = plan;
    const deps = {
      work,
      keys,
      control: openControl(cluster.control),
      openSource: (directory: string | undefined) => openSource(access, rootsOf(run.cluster, cluster, directory)),
      chooseKagentDirectory: () =>
        chooseKagentDirectory(access, { clusterName: run.cluster, cluster, newestVaulted: newestKagentDirectory }),
    };
    return inspectCluster(deps, plan, poll);
  },
});
