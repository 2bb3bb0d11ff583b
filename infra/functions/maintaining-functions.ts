import { Construct } from 'constructs';
import type { Vault } from '../storage/vault.ts';
import type { WorkBucket } from '../storage/work-bucket.ts';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/**
 * The functions of `Maintain` that decide and free. They are the only ones of Rankvault that can delete in the vault: two of them
 * versions, and of the rest only what the deciding one takes back by a delete marker.
 */
export class MaintainingFunctions extends Construct {
  readonly planMaintenance: RankvaultFunction;
  readonly surveyRemoval: RankvaultFunction;
  readonly planDeletions: RankvaultFunction;
  readonly deleteVersions: RankvaultFunction;
  readonly finishMaintenance: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext) {
    super(scope, 'Maintaining');
    const { vault, work } = context;
    this.planMaintenance = this.#addPlan(context);

    this.surveyRemoval = new RankvaultFunction(this, { context, name: 'survey-removal', size: 'streaming' });
    vault.grantReadCatalog(this.surveyRemoval);
    vault.grantListVersions(this.surveyRemoval);

    this.planDeletions = new RankvaultFunction(this, { context, name: 'plan-deletions', size: 'listing' });
    // Also the tombstone of each that goes, and whether the backup was frozen meanwhile.
    vault.grantReadCatalog(this.planDeletions);
    vault.grantDeleteRecords(this.planDeletions);

    this.deleteVersions = new RankvaultFunction(this, { context, name: 'delete-versions', size: 'listing' });
    vault.grantReadCatalog(this.deleteVersions);
    vault.grantDeleteVersions(this.deleteVersions);

    this.finishMaintenance = this.#addFinish(context);

    for (const maintaining of [
      this.planMaintenance,
      this.surveyRemoval,
      this.planDeletions,
      this.deleteVersions,
      this.finishMaintenance,
    ]) {
      work.grantRead(maintaining);
      work.grantWrite(maintaining, 'runs');
    }
  }

  /** Claims a directory for a merge; writes tombstones, pins and freezes, and takes them back by delete markers. */
  #addPlan(context: FunctionContext): RankvaultFunction {
    const plan = new RankvaultFunction(this, { context, name: 'plan-maintenance', size: 'listing' });
    grantDeciding(plan, context);
    context.vault.grantWriteCatalog(plan, 'attempts', 'tombstones', 'pins', 'freeze', 'maintenance');
    context.vault.grantHide(plan, 'tombstones', 'pins', 'freeze');
    return plan;
  }

  #addFinish(context: FunctionContext): RankvaultFunction {
    const finish = new RankvaultFunction(this, { context, name: 'finish-maintenance', size: 'listing' });
    context.vault.grantReadCatalog(finish);
    context.vault.grantWriteCatalog(finish, 'maintenance');
    context.vault.grantAbortUploads(finish);
    context.work.grantWrite(finish, 'swept');
    context.work.grantDelete(finish, 'holds');
    return finish;
  }
}

/** Under the backup's lock: reads the catalog, what lies in the vault, and who reads it; then says what is hidden and swept. */
export function grantDeciding(
  deciding: RankvaultFunction,
  { vault, work }: { readonly vault: Vault; readonly work: WorkBucket },
): void {
  vault.grantReadCatalog(deciding);
  vault.grantListVersions(deciding);
  work.grantWrite(deciding, 'locks', 'holds');
  work.grantDelete(deciding, 'locks', 'holds');
}
