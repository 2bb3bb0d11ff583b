import { Construct } from 'constructs';
import { type FunctionContext, RankvaultFunction } from './rankvault-function.ts';

/** The functions that write down what an execution achieved, and clean up behind it. */
export class RecordingFunctions extends Construct {
  readonly sealRank: RankvaultFunction;
  readonly commitSnapshot: RankvaultFunction;
  readonly finishRestore: RankvaultFunction;
  readonly abortRun: RankvaultFunction;
  readonly unlockRun: RankvaultFunction;

  constructor(scope: Construct, context: FunctionContext) {
    super(scope, 'Recording');
    const { vault, work } = context;
    this.sealRank = new RankvaultFunction(this, { context, name: 'seal-rank', size: 'streaming' });
    vault.grantWriteCatalog(this.sealRank, 'manifests');
    work.grantWrite(this.sealRank, 'runs');

    this.commitSnapshot = new RankvaultFunction(this, { context, name: 'commit-snapshot', size: 'listing' });
    vault.grantWriteCatalog(this.commitSnapshot, 'definitions', 'manifests', 'snapshots');
    work.grantWrite(this.commitSnapshot, 'runs');

    this.finishRestore = new RankvaultFunction(this, { context, name: 'finish-restore', size: 'listing' });
    work.grantWrite(this.finishRestore, 'runs');

    this.abortRun = new RankvaultFunction(this, { context, name: 'abort-run', size: 'listing' });
    work.grantWrite(this.abortRun, 'runs');
    work.grantDelete(this.abortRun, 'locks', 'holds');

    this.unlockRun = new RankvaultFunction(this, { context, name: 'unlock-run', size: 'small' });
    work.grantWrite(this.unlockRun, 'runs');
    work.grantDelete(this.unlockRun, 'locks', 'holds');

    for (const recording of [this.sealRank, this.commitSnapshot, this.finishRestore, this.abortRun, this.unlockRun]) {
      work.grantRead(recording);
    }
  }
}
