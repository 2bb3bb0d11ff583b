import * as z from 'zod/mini';
import { controlSchema } from './config/schema.ts';
import { ClusterBusy, LockLost, QuiesceLost } from './errors.ts';
import { formatVersionSchema, jsonBytes } from './format.ts';
import { nameSchema } from './ids.ts';
import type { ObjectStore } from './ports/object-store.ts';
import { siteFunctionsSchema } from './run.ts';
import { readJson } from './stored-json.ts';
import { quiesceKey } from './work-layout.ts';

/**
 * `quiesce/<cluster>.json`: who put the cluster into backup mode, or is about to. Written before `begin` is sent, so that after
 * any crash somebody knows that there may be something to release. Every change replaces exactly the version that was read.
 */
export const quiesceSchema = z.object({
  formatVersion: formatVersionSchema,
  cluster: nameSchema,
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  functions: siteFunctionsSchema,
  /** How to reach the cluster, so that it can be released whatever becomes of the run and the configuration. */
  control: controlSchema,
  armedAt: z.string(),
  /** From here on the recurring schedule starts Release. */
  deadline: z.string(),
  beginSentAt: z.optional(z.string()),
  /** The cluster answered that it has begun. */
  begunAt: z.optional(z.string()),
  /** Begin certainly did not take effect, because it was refused or never left: there is nothing of ours to release. */
  beginRefusedAt: z.optional(z.string()),
  /** Backup mode was seen after begin; a cluster that never shows it has none. */
  heldSeenAt: z.optional(z.string()),
  endSentAt: z.optional(z.string()),
  /** Who asked for the first end: `end` is the snapshot itself, after its fence. */
  releaseReason: z.optional(z.string()),
  /** What showed that the hold was gone before we ended it. */
  broken: z.optional(z.string()),
  releasedAt: z.optional(z.string()),
});
export type Quiesce = z.infer<typeof quiesceSchema>;

export interface StoredQuiesce {
  readonly value: Quiesce;
  readonly etag: string;
}

export function readQuiesce(work: ObjectStore, cluster: string): Promise<StoredQuiesce | undefined> {
  return readJson(work, quiesceKey(cluster), quiesceSchema);
}

/**
 * Changes this hold's record. A snapshot, its ghosts and several releases write to it at the same time: where another was faster,
 * the change is decided again on what is there now, so that no fact is lost and nothing is decided on a stale one.
 * @param decide what to change; undefined when there is nothing to change any more
 * @returns what is stored now
 * @throws LockLost when the record is another execution's by now
 */
export async function updateQuiesce(
  work: ObjectStore,
  stored: StoredQuiesce,
  decide: (present: Quiesce) => Partial<Quiesce> | undefined,
): Promise<StoredQuiesce> {
  const { cluster, nonce } = stored.value;
  let current = stored;
  for (;;) {
    const change = decide(current.value);
    if (change === undefined) {
      return current;
    }
    const bytes = jsonBytes({ ...current.value, ...change });
    const outcome = await work.replace(quiesceKey(cluster), bytes, current.etag);
    current = await ownQuiesce(work, cluster, nonce);
    if (outcome === 'replaced') {
      return current;
    }
  }
}

/** The quiesce of this nonce, for a step that must hold it. @throws LockLost */
export async function ownQuiesce(work: ObjectStore, cluster: string, nonce: string): Promise<StoredQuiesce> {
  const stored = await readQuiesce(work, cluster);
  if (stored?.value.nonce !== nonce) {
    throw new LockLost(`The quiesce of cluster '${cluster}' is not this execution's.`, {
      hint: 'Nothing was committed; look at the execution named in the intent record, then start this one again.',
    });
  }
  return stored;
}

/** Every step inside the hold asks this first. @throws QuiesceLost when the release has begun, whoever started it */
export async function assertHoldStands(work: ObjectStore, cluster: string, nonce: string): Promise<void> {
  const { value } = await ownQuiesce(work, cluster, nonce);
  assertStands(value);
}

/** @throws QuiesceLost when the release of this hold has begun, or is done */
export function assertStands(value: Quiesce): void {
  if (value.endSentAt !== undefined || value.releasedAt !== undefined) {
    throw new QuiesceLost(
      `The hold on cluster '${value.cluster}' was released (${value.releaseReason ?? 'unknown'}) before the snapshot was fenced.`,
      {
        hint: 'Nothing was committed. If the deadline passed, raise maxQuiesceMinutes or copyConcurrency; then start the snapshot again.',
      },
    );
  }
}

/** Creates the intent record, or takes the place of one that is released. @throws ClusterBusy when another's stands */
export async function armQuiesce(work: ObjectStore, quiesce: Quiesce): Promise<void> {
  const key = quiesceKey(quiesce.cluster);
  if ((await work.create(key, jsonBytes(quiesce))) === 'created') {
    return;
  }
  const present = await readQuiesce(work, quiesce.cluster);
  if (present?.value.nonce === quiesce.nonce) {
    return;
  }
  const replaced =
    present?.value.releasedAt !== undefined &&
    (await work.replace(key, jsonBytes(quiesce), present.etag)) === 'replaced';
  if (!replaced) {
    throw new ClusterBusy(
      `Execution ${present?.value.execution ?? '(unknown)'} may still hold cluster '${quiesce.cluster}' in backup mode.`,
      {
        hint: 'Its Release runs until the cluster is seen in normal mode; look at it in the Step Functions console and start this one again.',
      },
    );
  }
}
