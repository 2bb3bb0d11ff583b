import type { Construct } from 'constructs';
import type { RankvaultConfig } from '../../core/config/schema.ts';
import { MaintainingFunctions } from './maintaining-functions.ts';
import { MergingFunctions } from './merging-functions.ts';
import { PlanningFunctions } from './planning-functions.ts';
import type { FunctionContext, RankvaultFunction } from './rankvault-function.ts';
import { RecordingFunctions } from './recording-functions.ts';
import { ReleaseFunctions } from './release-functions.ts';
import type { SiteFunctions } from './site-functions.ts';
import { siteFunctionsJson } from './sites.ts';
import { VerifyingFunctions } from './verifying-functions.ts';

/** The functions that exist once, by name. What arms a release is apart: it knows the machine that it arms. */
export type FixedFunctions = ReturnType<typeof createFunctions>;

export function createFunctions(
  scope: Construct,
  context: FunctionContext,
  { config, sites }: { readonly config: RankvaultConfig; readonly sites: readonly SiteFunctions[] },
) {
  return {
    ...new PlanningFunctions(scope, context, siteFunctionsJson(context.stack, sites)),
    ...new RecordingFunctions(scope, context),
    ...new ReleaseFunctions(scope, context),
    ...new MaintainingFunctions(scope, context),
    ...new MergingFunctions(scope, context, Object.keys(config.backups).toSorted()),
    ...new VerifyingFunctions(scope, context),
  };
}

/** Those that meet somebody else's lock or hold, and ask whether its owner is still alive. */
export function describingFunctions(functions: FixedFunctions): readonly RankvaultFunction[] {
  return [
    functions.planSnapshot,
    functions.planRestore,
    functions.planMaintenance,
    functions.commitMerged,
    functions.hideMerged,
    functions.finishMaintenance,
    functions.planVerification,
  ];
}
