import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import { FIXED_RESOURCES, mostSchedules, RESOURCES_PER_SITE } from '../../core/config/size-findings.ts';
import { parseConfig } from '../../core/config/validate.ts';
import { NETWORK, type Synthesized, synthesize } from './synthesized.ts';

/** Clusters that need the most of a site: each in a network of its own, with a mount and a secret that has a key. */
function clustersOf(sites: number): RankvaultConfigInput['clusters'] {
  const clusters = Array.from({ length: sites }, (_, index) => [
    `cluster_${index}`,
    {
      control: {
        kind: 'kinetica',
        url: 'http://10.1.2.3:9191',
        secret: `kinetica/${index}`,
        secretKmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/prod',
      },
      roots: [{ name: 'persist', url: `file:///mnt/kagent/${index}` }],
      network: { ...NETWORK, subnetIds: [`subnet-0000000${index}`] },
      mount: {
        accessPointArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0',
        fileSystemArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0',
        path: '/mnt/kagent',
      },
    },
  ]);
  return Object.fromEntries(clusters);
}

/** So many schedules and timers in all. */
function configOf(sites: number, schedules: number): RankvaultConfigInput {
  const off = { expression: 'rate(7 days)', enabled: false };
  return {
    deployment: 'large',
    clusters: clustersOf(sites),
    backups: {
      large: {
        kind: 'system',
        cluster: 'cluster_0',
        schedules: Array.from({ length: Math.max(schedules - 1, 0) }, (_, index) => ({
          name: `schedule_${index}`,
          type: 'full' as const,
          expression: 'rate(1 day)',
        })),
        verify: { present: off, read: { ...off, budget: { parts: 1 } } },
        maintain: { collect: { expression: 'rate(7 days)', enabled: schedules > 0 } },
      },
    },
    alerts: { emails: ['one@example.com', 'two@example.com'] },
  };
}

const resources = ({ workflows }: Synthesized) => Object.keys(workflows.toJSON()['Resources']).length;

describe('a deployment', () => {
  test.each([1, 4])('with %i sites has as many resources as its validation counts', (sites) => {
    const counted = (schedules: number) => FIXED_RESOURCES + RESOURCES_PER_SITE * sites + 2 + schedules;
    expect(resources(synthesize(configOf(sites, 10)))).toBeLessThanOrEqual(counted(10));
    expect(resources(synthesize(configOf(sites, 10)))).toBeGreaterThan(counted(10) - 5);
  });

  test('that has all that is allowed is one that CloudFormation takes', () => {
    const most = mostSchedules(parseConfig(configOf(4, 1)));
    expect(most).toBeGreaterThan(150);
    const synthesized = synthesize(configOf(4, most));
    // 500 resources and 1 MB (CloudFormation quotas); CDK writes them as they are sent.
    expect(resources(synthesized)).toBeLessThanOrEqual(500);
    expect(statSync(join(synthesized.outdir, 'large-workflows.template.json')).size).toBeLessThan(1_000_000);
  });

  test('that has more is refused in words, before CDK is asked', () => {
    const most = mostSchedules(parseConfig(configOf(4, 1)));
    expect(() => parseConfig(configOf(4, most + 1))).toThrow(
      `backups have more schedules (${most}) and timers that are on (1: verifications, collections, drills) than one deployment with these clusters takes (${most} together); turn timers off`,
    );
  });
});
