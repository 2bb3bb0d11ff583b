import { Construct } from 'constructs';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions that decide what an execution does, and freeze it into the run. */
export class PlanningFunctions extends Construct {
  readonly planSnapshot: RankvaultFunction;
  readonly planCopies: RankvaultFunction;
  readonly planRestore: RankvaultFunction;
  readonly planRestoreBatches: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext, siteFunctions: string) {
    super(scope, 'Planning');
    const { vault, work } = context;
    const environment = { SITE_FUNCTIONS: siteFunctions };
    this.planSnapshot = new RankvaultFunction(this, { context, name: 'plan-snapshot', size: 'listing', environment });
    vault.grantReadCatalog(this.planSnapshot);
    // Tombstones: over the attempt of an execution whose lock it takes over, so that a late commit of that one is never seen.
    vault.grantWriteCatalog(this.planSnapshot, 'attempts', 'tombstones');
    work.grantWrite(this.planSnapshot, 'runs', 'locks');
    work.grantDelete(this.planSnapshot, 'locks');

    this.planCopies = new RankvaultFunction(this, { context, name: 'plan-copies', size: 'listing' });
    work.grantWrite(this.planCopies, 'runs');

    this.planRestore = new RankvaultFunction(this, { context, name: 'plan-restore', size: 'listing', environment });
    vault.grantReadCatalog(this.planRestore);
    work.grantWrite(this.planRestore, 'runs', 'locks', 'holds');
    work.grantDelete(this.planRestore, 'locks', 'holds');

    this.planRestoreBatches = new RankvaultFunction(this, { context, name: 'plan-restore-batches', size: 'listing' });
    // Before anything in the cluster changes: it is being restored, so that its next snapshot is a full.
    vault.grantWriteRestored(this.planRestoreBatches);
    work.grantWrite(this.planRestoreBatches, 'runs');

    for (const planning of [this.planSnapshot, this.planCopies, this.planRestore, this.planRestoreBatches]) {
      work.grantRead(planning);
    }
  }
}
