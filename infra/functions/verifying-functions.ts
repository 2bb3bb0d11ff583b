import { Construct } from 'constructs';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions of `Verify`. They change nothing in the vault; what they found is added to its catalog. */
export class VerifyingFunctions extends Construct {
  readonly planVerification: RankvaultFunction;
  readonly verifyRank: RankvaultFunction;
  readonly planReads: RankvaultFunction;
  readonly readParts: RankvaultFunction;
  readonly concludeVerification: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext) {
    super(scope, 'Verifying');
    const { vault, work } = context;
    this.planVerification = this.#add(context, 'plan-verification');
    vault.grantReadCatalog(this.planVerification);
    vault.grantListVersions(this.planVerification);
    work.grantWrite(this.planVerification, 'locks', 'holds');
    work.grantDelete(this.planVerification, 'locks', 'holds');

    this.verifyRank = this.#add(context, 'verify-rank');
    vault.grantReadCatalog(this.verifyRank);
    vault.grantListVersions(this.verifyRank);

    this.planReads = this.#add(context, 'plan-reads');

    this.readParts = this.#add(context, 'read-parts');
    vault.grantReadParts(this.readParts);
    vault.grantReadLocks(this.readParts);

    this.concludeVerification = this.#add(context, 'conclude-verification');
    vault.grantReadCatalog(this.concludeVerification);
    vault.grantWriteCatalog(this.concludeVerification, 'findings', 'slices', 'verifications');
    work.grantDelete(this.concludeVerification, 'locks', 'holds');
  }

  #add(context: FunctionContext, name: VerifyingFunctionName): RankvaultFunction {
    const added = new RankvaultFunction(this, { context, name, size: SIZE_OF[name] });
    context.work.grantRead(added);
    context.work.grantWrite(added, 'runs');
    return added;
  }
}

const SIZE_OF = {
  'plan-verification': 'listing',
  'verify-rank': 'streaming',
  'plan-reads': 'listing',
  'read-parts': 'streaming',
  'conclude-verification': 'listing',
} as const;
type VerifyingFunctionName = keyof typeof SIZE_OF;
