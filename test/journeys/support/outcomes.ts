import { expect } from 'vitest';
import * as z from 'zod/mini';
import type { ExecutionView } from '../../../local/workflow/execution.ts';

/** What the machines answer, as an operator reads it in the console. */
const count = z.int();
const committedSchema = z.object({
  outcome: z.literal('committed'),
  snapshot: z.object({
    snapshot: z.string(),
    id: z.string(),
    type: z.enum(['full', 'incremental', 'differential']),
    reason: z.string(),
    base: z.optional(z.string()),
    takenAt: z.string(),
    totals: z.object({ parts: count, bytes: count, storedParts: count, storedBytes: count, directories: count }),
  }),
});
export type Committed = z.infer<typeof committedSchema>['snapshot'];

const restoredSchema = z.object({
  outcome: z.literal('restored'),
  report: z.object({
    snapshot: z.string(),
    placed: count,
    placedBytes: count,
    kept: count,
    keptBytes: count,
    movedAside: count,
    removed: count,
    excluded: count,
    aside: z.optional(z.string()),
    next: z.string(),
  }),
});
export type Restored = z.infer<typeof restoredSchema>['report'];

const plannedSchema = z.object({
  outcome: z.literal('planned'),
  estimate: z.object({ parts: count, bytes: count, requests: count, minutes: z.number(), dollars: z.number() }),
  target: z.object({ stopped: z.string(), resumed: z.boolean() }),
  todo: z.object({
    place: count,
    placeBytes: count,
    check: count,
    checkBytes: count,
    moveAside: count,
    remove: count,
    unchanged: count,
    excluded: count,
  }),
});
export type Planned = z.infer<typeof plannedSchema>;

const amount = z.object({ parts: count, bytes: count });
const maintainedSchema = z.object({
  outcome: z.enum(['done', 'planned']),
  action: z.string(),
  backup: z.string(),
  report: z.object({
    hidden: z.array(
      z.object({ backup: z.string(), snapshot: z.string(), reason: z.string(), bytesKeptUntil: z.string() }),
    ),
    hiddenCount: count,
    kept: z.optional(z.array(z.object({ snapshot: z.string(), reasons: z.array(z.string()) }))),
    frees: amount,
    residue: z.object({ ...amount.shape, for: z.array(z.string()) }),
    locked: z.object({ ...amount.shape, until: z.optional(z.string()) }),
    later: z.optional(
      z.object({
        ...amount.shape,
        residue: z.object({ ...amount.shape, for: z.array(z.string()) }),
        locked: z.object({ ...amount.shape, until: z.optional(z.string()) }),
        at: z.string(),
      }),
    ),
    hiddenBefore: z.optional(z.object({ ...amount.shape, at: z.string() })),
    catalogObjects: count,
    orphans: count,
    uploads: count,
    staleHolds: count,
    markers: count,
    merged: z.optional(z.object({ snapshot: z.string(), ...amount.shape })),
    cost: z.object({
      requests: count,
      stateTransitions: count,
      dollars: z.number(),
      dollarsSavedPerMonth: z.number(),
    }),
    next: z.string(),
  }),
});
export type Maintained = z.infer<typeof maintainedSchema>;
export type MaintenanceReport = Maintained['report'];

const verifiedSchema = z.object({
  outcome: z.literal('verified'),
  verification: z.looseObject({
    id: z.string(),
    level: z.enum(['present', 'read', 'restored']),
    checked: amount,
    findings: z.record(z.string(), count),
    next: z.string(),
  }),
});
export type Verified = z.infer<typeof verifiedSchema>['verification'];

export function maintained(view: ExecutionView): Maintained {
  return maintainedSchema.parse(outputOf(view));
}

export function verified(view: ExecutionView): Verified {
  return verifiedSchema.parse(outputOf(view)).verification;
}

export function committed(view: ExecutionView): Committed {
  return committedSchema.parse(outputOf(view)).snapshot;
}

export function restored(view: ExecutionView): Restored {
  return restoredSchema.parse(outputOf(view)).report;
}

export function planned(view: ExecutionView): Planned {
  return plannedSchema.parse(outputOf(view));
}

function outputOf(view: ExecutionView): unknown {
  if (view.status !== 'SUCCEEDED') {
    throw new Error(`${view.stateMachineName} ${view.name} ${view.status}: ${view.error}: ${view.cause}`);
  }
  return view.output;
}

export interface ExpectedFailure {
  readonly error: string;
  /** What is wrong, in the operator's words. */
  readonly problem: RegExp;
  /** What to do: the end of the cause. */
  readonly hint: RegExp;
}

/** The execution failed with this name, and its cause says what is wrong and then, at its end, what to do. */
export function expectFailure(view: ExecutionView, { error, problem, hint }: ExpectedFailure): void {
  expect({ status: view.status, error: view.error, cause: view.cause }).toMatchObject({ status: 'FAILED', error });
  expect(view.cause).toMatch(new RegExp(`${problem.source}[^]*(${hint.source})[^]*$`));
  // A cause that is still a Lambda's JSON would be a wall of stack trace in the console.
  expect(view.cause).not.toMatch(/^\{"errorType"/);
}
