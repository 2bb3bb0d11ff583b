import type { VerifyRun } from '../../core/run.ts';
import { openVerification, type VerifyPlan } from '../../core/verify/verify-plan.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { work } from './stores.ts';

/** The frozen plan of a verification that still has its turn. @throws LockLost, RecordMissing */
export async function openVerify(run: VerifyRun): Promise<{ readonly plan: VerifyPlan; readonly keys: RunKeys }> {
  return { plan: await openVerification(work, run), keys: new RunKeys('Verify', run.execution) };
}
