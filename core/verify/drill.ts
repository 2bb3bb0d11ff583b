import * as z from 'zod/mini';
import type { Finding, Verification } from '../verification.ts';

/** What `states:startExecution.sync:2` leaves of a Restore that succeeded. */
export const restoreOutcomeSchema = z.looseObject({
  ExecutionArn: z.string(),
  Name: z.string(),
  /** Epoch milliseconds. */
  StartDate: z.number(),
  StopDate: z.number(),
  Output: z.looseObject({
    outcome: z.literal('restored'),
    report: z.looseObject({
      placed: z.int(),
      placedBytes: z.int(),
      kept: z.int(),
      keptBytes: z.int(),
      removed: z.int(),
      excluded: z.int(),
    }),
  }),
});
export type RestoreOutcome = z.infer<typeof restoreOutcomeSchema>;

/** What the Catch of either Restore left. */
export const restoreFailureSchema = z.looseObject({
  Error: z._default(z.string(), 'Unknown'),
  Cause: z._default(z.string(), ''),
});
export type RestoreFailure = z.infer<typeof restoreFailureSchema>;

/** Step Functions gives the failed execution as the cause of the state that waited for it. */
const failedExecutionSchema = z.looseObject({
  Status: z.optional(z.string()),
  Error: z.optional(z.string()),
  Cause: z.optional(z.string()),
});

/** The target, the run or the account was at fault: nothing is known of the snapshot, good or bad. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  'ABORTED',
  'BackupModeHeldElsewhere',
  'ClusterBusy',
  'ConfigInvalid',
  'FormatTooNew',
  'InputInvalid',
  'KineticaUnavailable',
  'LockLost',
  'NameInvalid',
  'PathCollision',
  'RestoreInProgress',
  'RootPatternInvalid',
  'RootUnreadable',
  'S3AccessDenied',
  'S3BucketMissing',
  'SpecialFile',
  'StoreUnavailable',
  'TargetNotEmpty',
  'TargetRunning',
  'TopologyMismatch',
]);

export interface DrillFacts {
  readonly snapshot: string;
  readonly cluster: string;
  /** Parts of the snapshot. */
  readonly parts: number;
  /** Parts that every restore puts in place again, without looking: those that a server needs to start. */
  readonly activated: number;
}

export type DrillVerdict =
  /** `excluded`: parts that the scratch cluster's roots leave out, so that they were not tried. */
  | { readonly outcome: 'good'; readonly drill: NonNullable<Verification['drill']>; readonly excluded: number }
  | { readonly outcome: 'bad'; readonly finding: Finding }
  | { readonly outcome: 'unknown'; readonly error: string; readonly cause: string };

/**
 * A drill is good when the second restore, which compares by checksum, finds every part in place and nothing beside them. Only what it
 * puts in place without comparing is placed once more; its bytes are checked against the recorded checksums on their way.
 */
export function judgeDrill(facts: DrillFacts, restored: RestoreOutcome, compared: RestoreOutcome): DrillVerdict {
  const { placed, placedBytes, kept, keptBytes } = restored.Output.report;
  const { report } = compared.Output;
  const replaced = report.placed - facts.activated;
  const missing = facts.parts - report.kept - report.placed - report.excluded;
  if (replaced !== 0 || missing !== 0 || report.removed !== 0) {
    const detail = `After it was restored into cluster '${facts.cluster}', a second restore placed ${replaced} parts again, removed ${report.removed} and missed ${missing} of ${facts.parts}.`;
    return { outcome: 'bad', finding: { kind: 'RestoreFailed', snapshot: facts.snapshot, detail } };
  }
  return {
    outcome: 'good',
    excluded: report.excluded,
    drill: {
      snapshot: facts.snapshot,
      cluster: facts.cluster,
      restoreExecution: restored.ExecutionArn,
      recoverySeconds: Math.round((restored.StopDate - restored.StartDate) / 1000),
      parts: placed + kept,
      bytes: placedBytes + keptBytes,
    },
  };
}

/** Was it the snapshot, or was it something else? What is not known to be something else counts against the snapshot. */
export function judgeFailure(facts: Pick<DrillFacts, 'snapshot' | 'cluster'>, failure: RestoreFailure): DrillVerdict {
  const { error, cause } = unfold(failure);
  if (SAYS_NOTHING.has(error) || error.startsWith('StepFunctions.')) {
    return { outcome: 'unknown', error, cause };
  }
  const detail = `Restoring it into cluster '${facts.cluster}' failed with ${error}: ${cause}`;
  return { outcome: 'bad', finding: { kind: 'RestoreFailed', snapshot: facts.snapshot, detail } };
}

function unfold(failure: RestoreFailure): { readonly error: string; readonly cause: string } {
  try {
    const parsed = failedExecutionSchema.safeParse(JSON.parse(failure.Cause));
    const { Error: error, Cause: cause, Status: status } = parsed.data ?? {};
    if (error !== undefined || status !== undefined) {
      return { error: error ?? status ?? failure.Error, cause: cause ?? failure.Cause };
    }
  } catch {
    // A cause that is no execution is words already.
  }
  return { error: failure.Error, cause: failure.Cause };
}
