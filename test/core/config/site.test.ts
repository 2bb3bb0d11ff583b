import { describe, expect, test } from 'vitest';
import { siteKey } from '../../../core/config/site.ts';
import { MOUNT, NETWORK } from './builders.ts';

describe('the site of a cluster', () => {
  test('is the default one without network and mount', () => expect(siteKey({})).toBe('default'));

  test('is the same for clusters in one network, however they list it', () => {
    const network = {
      ...NETWORK,
      subnetIds: ['subnet-0000000b', 'subnet-0000000a'],
      securityGroupIds: ['sg-0000000b', 'sg-0000000a'],
    };
    const turned = {
      ...network,
      subnetIds: network.subnetIds.toReversed(),
      securityGroupIds: network.securityGroupIds.toReversed(),
    };
    expect(siteKey({ network })).toBe(siteKey({ network: turned }));
  });

  test('is another for another subnet, security group, mount or path', () => {
    const keys = [
      siteKey({ network: NETWORK }),
      siteKey({ network: { ...NETWORK, subnetIds: ['subnet-0000000a'] } }),
      siteKey({ network: { ...NETWORK, securityGroupIds: ['sg-0000000a'] } }),
      siteKey({ network: NETWORK, mount: MOUNT }),
      siteKey({ network: NETWORK, mount: { ...MOUNT, path: '/mnt/other' } }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('stays what it is: the names of deployed functions hang on it', () => {
    expect(siteKey({ network: NETWORK })).toBe('25359526');
  });
});
