import type { Construct } from 'constructs';
import type { SiteFunctions } from '../functions/site-functions.ts';
import type { WorkBucket } from '../storage/work-bucket.ts';

/** What the states of a workflow are built with. */
export interface WorkflowContext {
  /** Parent of the states; each workflow has its own, so that two of them may use the same names. */
  readonly scope: Construct;
  readonly sites: readonly SiteFunctions[];
  readonly work: WorkBucket;
}
