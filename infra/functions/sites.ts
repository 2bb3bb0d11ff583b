import type { Stack } from 'aws-cdk-lib';
import type { RankvaultConfig } from '../../core/config/schema.ts';
import { siteKey } from '../../core/config/site.ts';
import { ConfigInvalid } from '../../core/errors.ts';
import type { SiteFunctions as SiteFunctionKeys } from '../../core/run.ts';
import { SITE_FUNCTION_NAMES, type SiteFunctionName } from './function-names.ts';
import type { Site, SiteFunctions } from './site-functions.ts';

/** The key that a run knows a site function by: `$.run.functions.copyParts`. */
export const KEY_OF = {
  'inspect-cluster': 'inspectCluster',
  'control-cluster': 'controlCluster',
  'enumerate-rank': 'enumerateRank',
  'copy-parts': 'copyParts',
  'fence-rank': 'fenceRank',
  'inspect-target': 'inspectTarget',
  'mark-target': 'markTarget',
  'compare-rank': 'compareRank',
  'restore-parts': 'restoreParts',
} as const satisfies Readonly<Record<SiteFunctionName, keyof SiteFunctionKeys>>;

/**
 * 4: the names of a site's nine functions take up to 800 bytes of SITE_FUNCTIONS, and all variables of a function 4 KB at most
 * (Lambda quotas).
 */
const MOST_SITES = 4;

/**
 * Groups the clusters of a configuration by what they are reached through, in the order of their names.
 * @throws ConfigInvalid when they are more than one deployment can have
 */
export function sitesOf(config: RankvaultConfig): readonly Site[] {
  const names = Object.keys(config.clusters).toSorted();
  const byKey = Map.groupBy(names, (name) => siteKey(config.clusters[name] ?? {}));
  if (byKey.size > MOST_SITES) {
    throw new ConfigInvalid(
      `The clusters have ${byKey.size} different networks and mounts; one deployment has ${MOST_SITES} at most.`,
      {
        hint: "Put some of the clusters into a configuration of their own, with another 'deployment'.",
      },
    );
  }
  return [...byKey].map(([key, members]) => ({
    key,
    clusters: members.flatMap((name) => config.clusters[name] ?? []),
    backups: Object.entries(config.backups)
      .filter(([, backup]) => members.includes(backup.cluster))
      .map(([name]) => name)
      .toSorted(),
  }));
}

/** Value of SITE_FUNCTIONS: the names of every site's functions. */
export function siteFunctionsJson(stack: Stack, sites: readonly SiteFunctions[]): string {
  const namesOf = (site: SiteFunctions) =>
    Object.fromEntries(SITE_FUNCTION_NAMES.map((name) => [KEY_OF[name], site.get(name).function.functionName]));
  return stack.toJsonString(Object.fromEntries(sites.map((site) => [site.key, namesOf(site)])));
}
