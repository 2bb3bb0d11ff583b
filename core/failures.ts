import * as z from 'zod/mini';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from './format.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { readJson } from './stored-json.ts';
import { isoOfEpochMillis } from './utc.ts';
import type { RunKeys } from './work-layout.ts';

/**
 * A Map's Catch sees only States.ExceedToleratedFailureThreshold, so every worker writes down what really happened before it
 * fails; the abort step reads it back.
 */
export const failureSchema = z.object({
  formatVersion: formatVersionSchema,
  error: z.string(),
  message: z.string(),
  function: z.string(),
  transient: z.boolean(),
  at: z.string(),
});
export type Failure = z.infer<typeof failureSchema>;

export interface FailureFacts {
  readonly error: string;
  readonly message: string;
  readonly function: string;
  readonly transient: boolean;
}

export async function recordFailure(
  work: ObjectStore,
  keys: RunKeys,
  failure: { readonly facts: FailureFacts; readonly id: string; readonly atEpochMillis: number },
): Promise<void> {
  const at = isoOfEpochMillis(failure.atEpochMillis);
  await work.put(
    keys.failure(`${failure.atEpochMillis}-${failure.id}`),
    jsonBytes({ formatVersion: FORMAT_VERSION, ...failure.facts, at }),
  );
}

/**
 * The failure to report: the earliest that is not transient, since a transient one was retried; else the last.
 * At most 1,000 records are looked at.
 */
export async function readFailure(work: ObjectStore, keys: RunKeys): Promise<Failure | undefined> {
  let found: Failure | undefined;
  let count = 0;
  for await (const object of work.list(keys.failuresPrefix())) {
    const failure = await readJson(work, object.key, failureSchema);
    if (failure !== undefined) {
      found = failure.value;
    }
    count += 1;
    if (found?.transient === false || count >= 1000) {
      break;
    }
  }
  return found;
}
