import { createHash } from 'node:crypto';
import type { ClusterConfig } from './schema.ts';

/** The site of clusters that need neither a network nor a mount. */
const DEFAULT_SITE = 'default';

/**
 * Clusters with the same network and the same mount share one set of functions, because both are fixed when a function is
 * created. The key names that set in the stack and in SITE_FUNCTIONS; the order of subnets or security groups does not change it.
 */
export function siteKey(cluster: Pick<ClusterConfig, 'network' | 'mount'>): string {
  const { network, mount } = cluster;
  if (network === undefined && mount === undefined) {
    return DEFAULT_SITE;
  }
  const canonical = [
    network && [network.vpcId, network.availabilityZones, network.subnetIds, network.securityGroupIds].map(sorted),
    mount && [mount.accessPointArn, mount.fileSystemArn, mount.path],
  ];
  return createHash('sha256').update(JSON.stringify(canonical)).digest('hex').slice(0, 8);
}

function sorted(value: string | readonly string[]): string | readonly string[] {
  return typeof value === 'string' ? value : value.toSorted();
}
