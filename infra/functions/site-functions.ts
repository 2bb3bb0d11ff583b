import { Construct } from 'constructs';
import type { ClusterConfig } from '../../core/config/schema.ts';
import type { SiteFunctionName } from './function-names.ts';
import { type FunctionContext, type FunctionSize, RankvaultFunction } from './rankvault-function.ts';
import { SitePlacement } from './site-placement.ts';
import { SiteRoots } from './site-roots.ts';
import { SiteSecrets } from './site-secrets.ts';

/** A distinct (network, mount) and the clusters that are reached through it. */
export interface Site {
  readonly key: string;
  /** At least one; they all have the same network and mount. */
  readonly clusters: readonly ClusterConfig[];
  /** Backups of these clusters. */
  readonly backups: readonly string[];
}

/**
 * 5: begin, observe and end of a few clusters at a time. Reserved, because a snapshot's copies may use up the account's
 * concurrency, and a cluster that waits for its release must not wait for them. Small, because what is reserved is taken from
 * everything else in the account, which has to keep 100.
 */
const CONTROL_CONCURRENCY = 5;

/** Threads for file calls, 4 by default (libuv): each waits for the network on a mounted file system, so that 64 may wait at a time. */
const MOUNT_ENVIRONMENT = { UV_THREADPOOL_SIZE: '64' };

const SIZE_OF: Readonly<Record<SiteFunctionName, FunctionSize>> = {
  'inspect-cluster': 'listing',
  'control-cluster': 'listing',
  'enumerate-rank': 'streaming',
  'copy-parts': 'streaming',
  'fence-rank': 'listing',
  'inspect-target': 'listing',
  'mark-target': 'listing',
  'compare-rank': 'streaming',
  'restore-parts': 'streaming',
};

/** The functions that face the clusters of one site. They never wait for a cluster themselves: the state machines do. */
export class SiteFunctions extends Construct {
  readonly key: string;
  readonly #functions = new Map<SiteFunctionName, RankvaultFunction>();
  readonly #context: FunctionContext;
  readonly #placement: SitePlacement | undefined;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, context: FunctionContext, site: Site) {
    super(scope, `Site-${site.key}`);
    this.key = site.key;
    this.#context = context;
    const [cluster] = site.clusters;
    this.#placement = cluster === undefined ? undefined : new SitePlacement(this, site.key, cluster);
    this.#environment = cluster?.mount === undefined ? {} : MOUNT_ENVIRONMENT;
    const roots = new SiteRoots(context.stack, site.clusters);
    const secrets = new SiteSecrets(this, site.clusters);
    this.#addControl(roots, secrets);
    this.#addSnapshotting(roots, site.backups);
    this.#addRestoring(roots, secrets);
  }

  get(name: SiteFunctionName): RankvaultFunction {
    const found = this.#functions.get(name);
    if (found === undefined) {
      throw new Error(`Site ${this.key} has no function ${name}; add it in infra/functions/site-functions.ts.`);
    }
    return found;
  }

  #addControl(roots: SiteRoots, secrets: SiteSecrets): void {
    const inspect = this.#add('inspect-cluster');
    roots.grantList(inspect);
    secrets.grantRead(inspect);
    const control = this.#add('control-cluster', CONTROL_CONCURRENCY);
    secrets.grantRead(control);
    this.#context.work.grantWrite(control, 'quiesce');
  }

  #addSnapshotting(roots: SiteRoots, backups: readonly string[]): void {
    const enumerate = this.#add('enumerate-rank');
    roots.grantRead(enumerate);
    this.#context.vault.grantReadManifests(enumerate);
    const copy = this.#add('copy-parts');
    roots.grantRead(copy);
    this.#context.vault.grantWriteParts(copy, backups);
    this.#context.work.grantDeleteUploads(copy);
    roots.grantRead(this.#add('fence-rank'));
  }

  #addRestoring(roots: SiteRoots, secrets: SiteSecrets): void {
    const inspect = this.#add('inspect-target');
    roots.grantRead(inspect);
    secrets.grantRead(inspect);
    roots.grantMark(this.#add('mark-target'));
    const compare = this.#add('compare-rank');
    // Reads, beside listing: what lies there is compared by its checksum, which a HEAD of an object asks for.
    roots.grantRead(compare);
    this.#context.vault.grantReadManifests(compare);
    const restore = this.#add('restore-parts');
    roots.grantReplace(restore);
    this.#context.vault.grantReadParts(restore);
  }

  /** Every one reads its plan from the run, and leaves its results and its failure record there. */
  #add(name: SiteFunctionName, reservedConcurrency?: number): RankvaultFunction {
    const added = new RankvaultFunction(this, {
      context: this.#context,
      name,
      size: SIZE_OF[name],
      environment: this.#environment,
      ...(this.#placement === undefined ? {} : { placement: this.#placement }),
      ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }),
    });
    this.#context.work.grantRead(added);
    this.#context.work.grantWrite(added, 'runs');
    this.#functions.set(name, added);
    return added;
  }
}
