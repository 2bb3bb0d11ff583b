import { createHash } from 'node:crypto';
import { InputInvalid } from './errors.ts';
import type { ExecutionStart } from './execution-input.ts';
import type { LockOwner } from './locks.ts';

/**
 * The nonce of an execution: the same on every retry of its steps, different from every other execution's. A redriven execution
 * keeps its ARN and its start, and with them its nonce: it is the same run.
 */
export function nonceOf(executionArn: string, startedAt: string): string {
  return createHash('sha256').update(`${executionArn}\n${startedAt}`).digest('hex').slice(0, 24);
}

export function ownerOf(start: ExecutionStart): LockOwner {
  const { execution, executionArn, startedAt } = start;
  return { execution, executionArn, nonce: nonceOf(executionArn, startedAt) };
}

/**
 * Step Functions lets a name be used again after 90 days, and the work bucket remembers for longer.
 * @throws InputInvalid when the frozen plan is that of an earlier execution of the same name
 */
export function assertOwnPlan(run: { readonly execution: string; readonly nonce: string }, owner: LockOwner): void {
  if (run.nonce !== owner.nonce) {
    throw new InputInvalid(`An earlier execution was called ${run.execution} too, and its records are still there.`, {
      hint: 'Start it again under another name, or without one.',
    });
  }
}
