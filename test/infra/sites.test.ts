import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config/validate.ts';
import { ConfigInvalid } from '../../core/errors.ts';
import { sitesOf } from '../../infra/functions/sites.ts';
import { CONFIG, NETWORK } from './synthesized.ts';

/** As many clusters as said, each in a network of its own. */
function networks(count: number) {
  const clusters = Array.from({ length: count }, (_, index) => [
    `cluster_${index}`,
    {
      control: { kind: 'none' },
      roots: [{ name: 'persist', url: `s3://data-${index}` }],
      network: { ...NETWORK, subnetIds: [`subnet-0000000${index}`] },
    },
  ]);
  return parseConfig({ clusters: Object.fromEntries(clusters), backups: {} });
}

describe('the sites of a configuration', () => {
  test('are one for clusters with the same network and mount, each with its backups', () => {
    const sites = sitesOf(parseConfig(CONFIG)).map(({ clusters, backups }) => [clusters.length, backups]);
    expect(sites.toSorted()).toEqual([
      [1, []],
      [2, ['dr_system']],
      [2, ['prod_system']],
    ]);
  });

  test('are four at most, because their functions are named in an environment variable', () => {
    expect(sitesOf(networks(4))).toHaveLength(4);
    expect(() => sitesOf(networks(5))).toThrow(ConfigInvalid);
    expect(() => sitesOf(networks(5))).toThrow(
      'The clusters have 5 different networks and mounts; one deployment has 4 at most.',
    );
  });
});
