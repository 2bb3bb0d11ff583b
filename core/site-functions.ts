import type { ClusterConfig } from './config/schema.ts';
import { siteKey } from './config/site.ts';
import { InputInvalid } from './errors.ts';
import type { SiteFunctions } from './run.ts';

/** By site key; given to the planning functions at deployment. */
export type FunctionsBySite = Readonly<Record<string, SiteFunctions>>;

/** The functions that reach the cluster's network and mount. */
export function functionsOfSite(bySite: FunctionsBySite, cluster: ClusterConfig): SiteFunctions {
  const functions = bySite[siteKey(cluster)];
  if (functions === undefined) {
    throw new InputInvalid('No deployed function reaches the network and mount of this cluster.', {
      hint: 'Run cdk deploy again: configuration and functions are from different deployments.',
    });
  }
  return functions;
}
