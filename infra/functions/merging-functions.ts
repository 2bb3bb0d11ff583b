import { Construct } from 'constructs';
import { grantDeciding } from './maintaining-functions.ts';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions of `Maintain` that make a full of a chain, from what is in the vault. They reach no cluster. */
export class MergingFunctions extends Construct {
  readonly mergeRank: RankvaultFunction;
  readonly planMerge: RankvaultFunction;
  readonly mergeParts: RankvaultFunction;
  readonly sealMergedRank: RankvaultFunction;
  readonly commitMerged: RankvaultFunction;
  readonly verifyMergedRank: RankvaultFunction;
  readonly hideMerged: RankvaultFunction;

  /** @param backups whose snapshots can be merged: those of the configuration */
  constructor(scope: Construct, context: FunctionContext, backups: readonly string[]) {
    super(scope, 'Merging');
    const { vault, work } = context;
    this.mergeRank = this.#add(context, 'merge-rank');
    vault.grantReadCatalog(this.mergeRank);

    this.planMerge = this.#add(context, 'plan-merge');

    this.mergeParts = this.#add(context, 'merge-parts');
    vault.grantReadParts(this.mergeParts);
    vault.grantWriteParts(this.mergeParts, backups);
    work.grantDeleteUploads(this.mergeParts);

    this.sealMergedRank = this.#add(context, 'seal-merged-rank');
    vault.grantWriteCatalog(this.sealMergedRank, 'manifests');

    this.commitMerged = this.#add(context, 'commit-merged');
    vault.grantReadCatalog(this.commitMerged);
    // Tombstones: as the planning of a snapshot, where it takes a dead execution's lock.
    vault.grantWriteCatalog(this.commitMerged, 'manifests', 'snapshots', 'tombstones');
    work.grantWrite(this.commitMerged, 'locks');
    work.grantDelete(this.commitMerged, 'locks');

    this.verifyMergedRank = this.#add(context, 'verify-merged-rank');
    vault.grantReadCatalog(this.verifyMergedRank);
    vault.grantListVersions(this.verifyMergedRank);

    this.hideMerged = this.#add(context, 'hide-merged');
    grantDeciding(this.hideMerged, context);
    vault.grantWriteCatalog(this.hideMerged, 'tombstones');
  }

  #add(context: FunctionContext, name: MergingFunctionName): RankvaultFunction {
    const added = new RankvaultFunction(this, { context, name, size: SIZE_OF[name] });
    context.work.grantRead(added);
    context.work.grantWrite(added, 'runs');
    return added;
  }
}

const SIZE_OF = {
  'merge-rank': 'streaming',
  'plan-merge': 'listing',
  'merge-parts': 'streaming',
  'seal-merged-rank': 'streaming',
  'commit-merged': 'listing',
  'verify-merged-rank': 'streaming',
  'hide-merged': 'listing',
} as const;
type MergingFunctionName = keyof typeof SIZE_OF;
