import { configSchema, type RankvaultConfig, type RankvaultConfigInput } from '../../core/config/schema.ts';
import type { SiteFunctions } from '../../core/run.ts';

/** The functions of the one site that the sample clusters have. */
export const SAMPLE_FUNCTIONS: SiteFunctions = {
  inspectCluster: 'f-inspect-cluster',
  controlCluster: 'f-control-cluster',
  enumerateRank: 'f-enumerate-rank',
  copyParts: 'f-copy-parts',
  fenceRank: 'f-fence-rank',
  inspectTarget: 'f-inspect-target',
  markTarget: 'f-mark-target',
  compareRank: 'f-compare-rank',
  restoreParts: 'f-restore-parts',
};

/**
 * `prod` and `dr` have nobody to hold them still, `held` has a control endpoint, `vendor` is KAgent's; each has a backup of its
 * name, and `second` is another backup of `prod`.
 */
export function sampleConfig(change: Partial<RankvaultConfigInput> = {}): RankvaultConfig {
  const kinetica = { kind: 'kinetica' as const, url: 'http://head:9191' };
  const none = { kind: 'none' as const };
  const files = (cluster: string) => [{ name: 'main', url: `s3://clusters/${cluster}` }];
  return configSchema.parse({
    clusters: {
      prod: { control: none, roots: files('prod') },
      dr: { control: none, roots: files('dr') },
      held: { control: kinetica, roots: files('held') },
      vendor: { control: kinetica, source: { kind: 'kagent', path: 's3://clusters/kagent' } },
    },
    backups: {
      prod: { kind: 'system', cluster: 'prod' },
      second: { kind: 'system', cluster: 'prod' },
      held: { kind: 'system', cluster: 'held' },
      vendor: { kind: 'system', cluster: 'vendor' },
    },
    ...change,
  });
}
