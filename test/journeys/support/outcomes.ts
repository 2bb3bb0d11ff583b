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
