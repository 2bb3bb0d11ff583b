import { RootPatternInvalid } from '../errors.ts';
import { compileRootPattern } from '../root-pattern.ts';
import { namesDifferingInCase } from './names.ts';
import { isInside, parseRootUrl } from './root-url.ts';
import type { ClusterConfig } from './schema.ts';

/** Findings about one cluster by itself. */
export function clusterFindings(
  path: string,
  cluster: ClusterConfig,
  options: { readonly laptop?: boolean },
): readonly string[] {
  return [
    ...sourceFindings(path, cluster),
    ...namesDifferingInCase(
      `${path}.roots`,
      cluster.roots.map((root) => root.name),
    ),
    ...cluster.roots.flatMap((root, index) =>
      patternFindings(`${path}.roots[${index}].pattern`, root.pattern, root.rank),
    ),
    ...controlFindings(`${path}.control`, cluster, options),
    ...topologyFindings(`${path}.topology`, cluster),
    ...placeFindings(path, cluster, options),
    ...(options.laptop === true ? [] : mountFindings(path, cluster)),
  ];
}

function sourceFindings(path: string, { source, roots }: ClusterConfig): readonly string[] {
  if (source.kind === 'files') {
    return roots.length === 0
      ? [`${path}.roots is empty; a cluster whose source is 'files' needs at least one root`]
      : [];
  }
  return patternFindings(`${path}.source.pattern`, source.pattern);
}

function patternFindings(path: string, pattern: string, rank?: number): readonly string[] {
  try {
    compileRootPattern(pattern, rank);
    return [];
  } catch (error) {
    if (error instanceof RootPatternInvalid) {
      return [`${path} is not usable: ${error.problem}`];
    }
    throw error;
  }
}

function controlFindings(
  path: string,
  { control, network }: ClusterConfig,
  options: { readonly laptop?: boolean },
): readonly string[] {
  if (control.kind === 'none') {
    return [];
  }
  const url = URL.parse(control.url);
  if (url === null) {
    return [`${path}.url is '${control.url}'; it must be an http:// or https:// URL`];
  }
  const findings: string[] = [];
  if (url.username !== '' || url.password !== '') {
    findings.push(
      `${path}.url holds a user or a password; put them into Secrets Manager and name the secret in ${path}.secret`,
    );
  }
  if (url.search !== '' || url.hash !== '') {
    findings.push(`${path}.url has a query or a fragment; leave it out`);
  }
  if (control.secret?.trimStart().startsWith('{')) {
    findings.push(`${path}.secret holds a secret; it must be the name or the ARN of one in Secrets Manager`);
  }
  if (
    control.caPem !== undefined &&
    !(url.protocol === 'https:' && control.caPem.includes('-----BEGIN CERTIFICATE-----'))
  ) {
    findings.push(`${path}.caPem must be a PEM certificate, for an https:// URL`);
  }
  if (options.laptop !== true && network === undefined && isPrivateHost(url.hostname)) {
    findings.push(
      `${path}.url is '${control.url}', which is reached from inside a network only; give the cluster its 'network'`,
    );
  }
  return findings;
}

/** Addresses that cannot be reached from outside, by RFC 1918, 3927 and 6761; a name that only an own DNS resolves cannot be told. */
function isPrivateHost(host: string): boolean {
  return /^(localhost|10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[(::1|f[cd]|fe80))/.test(host);
}

function topologyFindings(path: string, { topology }: ClusterConfig): readonly string[] {
  if (topology === 'discovered') {
    return [];
  }
  const twice = topology.ranks.find((rank, index) => topology.ranks.indexOf(rank) !== index);
  return twice === undefined ? [] : [`${path}.ranks has ${twice} twice`];
}

/** IAM reads `*`, `?` and `$` in a resource as wildcards and variables. */
function placeFindings(
  path: string,
  cluster: ClusterConfig,
  options: { readonly laptop?: boolean },
): readonly string[] {
  return placesOf(path, cluster).flatMap(({ path: at, url }) => {
    const place = parseRootUrl(url);
    const segments = (place?.kind === 's3' ? place.prefix.replace(/\/$/, '') : (place?.path ?? '').slice(1)).split('/');
    if (place?.kind === 's3' && /[*?$]/.test(place.prefix)) {
      return [`${at} is '${url}'; '*', '?' and '$' cannot be used in it`];
    }
    if (segments.length > 1 && segments.some((segment) => ['', '.', '..'].includes(segment))) {
      return [`${at} is '${url}'; it has an empty, '.' or '..' segment`];
    }
    if (
      options.laptop !== true &&
      place?.kind === 'file' &&
      !(cluster.mount && isInside(place.path, cluster.mount.path))
    ) {
      return [
        cluster.mount === undefined
          ? `${at} is '${url}'; a file:// place needs the cluster's 'mount'`
          : `${at} is '${url}', which is not below the mount at ${cluster.mount.path}`,
      ];
    }
    return [];
  });
}

function placesOf(path: string, cluster: ClusterConfig): readonly { readonly path: string; readonly url: string }[] {
  const roots = cluster.roots.map((root, index) => ({ path: `${path}.roots[${index}].url`, url: root.url }));
  return cluster.source.kind === 'kagent'
    ? [...roots, { path: `${path}.source.path`, url: cluster.source.path }]
    : roots;
}

/** Lambda mounts EFS through the network that the function is in (Lambda guide, file system access). */
function mountFindings(path: string, { mount, network }: ClusterConfig): readonly string[] {
  return mount !== undefined && network === undefined
    ? [`${path}.mount needs the cluster's 'network', where the file system is`]
    : [];
}
