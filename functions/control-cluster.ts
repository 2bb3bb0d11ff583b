import * as z from 'zod/mini';
import type { ControlConfig } from '../core/config/schema.ts';
import { ConfigInvalid } from '../core/errors.ts';
import { beginBackup, type ControlDependencies, releaseRound, waitForHold } from '../core/jobs/control-cluster.ts';
import { pollDone } from '../core/poll.ts';
import { readQuiesce } from '../core/quiesce.ts';
import { pollSchema, snapshotRunSchema } from '../core/run.ts';
import { clock } from './runtime/clock.ts';
import { openControl } from './runtime/control.ts';
import { defineFunction } from './runtime/define-function.ts';
import { openRun } from './runtime/snapshot-run.ts';
import { work } from './runtime/stores.ts';

const releasePollSchema = z.extend(pollSchema, { sightings: z._default(z.int(), 0) });

/** The only function that changes a cluster's mode. */
export const handler = defineFunction({
  name: 'control-cluster',
  input: z.discriminatedUnion('action', [
    z.object({ action: z.literal('begin'), run: snapshotRunSchema }),
    z.object({ action: z.literal('observe'), run: snapshotRunSchema, poll: pollSchema }),
    z.object({
      action: z.literal('end'),
      release: z.object({ cluster: z.string(), nonce: z.string(), reason: z.string() }),
      poll: releasePollSchema,
    }),
  ]),
  run: async (request) => {
    switch (request.action) {
      case 'begin': {
        const { plan } = await openRun(request.run);
        return beginBackup(dependencies(plan.cluster.control), request.run);
      }
      case 'observe': {
        const { plan } = await openRun(request.run);
        return waitForHold(dependencies(plan.cluster.control), request.run, request.poll);
      }
      case 'end': {
        const stored = await readQuiesce(work, request.release.cluster);
        return stored === undefined
          ? { ...pollDone(request.poll), sightings: request.poll.sightings }
          : releaseRound(dependencies(stored.value.control), request.release, request.poll);
      }
      default:
        return request satisfies never;
    }
  },
});

function dependencies(config: ControlConfig): ControlDependencies {
  const control = openControl(config);
  if (control === undefined) {
    throw new ConfigInvalid('This cluster has no control endpoint, so it cannot be held or released.', {
      hint: 'Set control.kind to "kinetica" in the cluster’s configuration, and deploy.',
    });
  }
  return { work, clock, control };
}
