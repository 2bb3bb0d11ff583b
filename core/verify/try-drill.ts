import pMap, { pMapSkip } from 'p-map';
import * as z from 'zod/mini';
import { doneWindowSchema } from '../jobs/restore-parts.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from '../stored-json.ts';
import { RunKeys } from '../work-layout.ts';
import { type DrillVerdict, judgeDrill, judgeFailure, restoreFailureSchema, restoreOutcomeSchema } from './drill.ts';
import type { VerifyPlan } from './verify-plan.ts';

/** What the two restores of a drill left in the state. */
export const drillRequestSchema = z.object({
  restored: z.optional(restoreOutcomeSchema),
  compared: z.optional(restoreOutcomeSchema),
  restoreFailure: z.optional(restoreFailureSchema),
});
export type DrillRequest = z.infer<typeof drillRequestSchema>;

/** Records read at a time. */
const READS_AT_A_TIME = 32;

/** @returns undefined when the run is no drill */
export async function tryDrill(
  work: ObjectStore,
  plan: VerifyPlan,
  { restored, compared, restoreFailure }: DrillRequest,
): Promise<DrillVerdict | undefined> {
  const { snapshot, cluster } = plan.run;
  if (snapshot === undefined || cluster === undefined) {
    return undefined;
  }
  if (restoreFailure !== undefined || restored === undefined || compared === undefined) {
    return judgeFailure({ snapshot, cluster }, restoreFailure ?? { Error: 'Unknown', Cause: 'It left no outcome.' });
  }
  const parts = plan.snapshots.find((each) => each.snapshot === snapshot)?.parts ?? 0;
  const activated = await countActivated(work, compared.Name);
  return judgeDrill({ snapshot, cluster, parts, activated }, restored, compared);
}

/** Parts that the second restore put in place without comparing them: every restore does so with those that a server needs to start. */
async function countActivated(work: ObjectStore, execution: string): Promise<number> {
  let activated = 0;
  await pMap(
    work.list(new RunKeys('Restore', execution).donePrefix('activation')),
    async ({ key }) => {
      const window = await readJson(work, key, doneWindowSchema);
      activated += window?.value.placed ?? 0;
      return pMapSkip;
    },
    { concurrency: READS_AT_A_TIME },
  );
  return activated;
}
