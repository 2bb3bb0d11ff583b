import { createHash } from 'node:crypto';

/**
 * The nonce of an execution: the same on every retry of its steps, different from every other execution's. A redriven execution
 * keeps its ARN and its start, and with them its nonce: it is the same run.
 */
export function nonceOf(executionArn: string, startedAt: string): string {
  return createHash('sha256').update(`${executionArn}\n${startedAt}`).digest('hex').slice(0, 24);
}
