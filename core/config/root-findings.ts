import { parseRootUrl, placesOverlap, type RootPlace } from './root-url.ts';
import type { ClusterConfig } from './schema.ts';

interface LocatedRoot {
  readonly path: string;
  readonly place: RootPlace;
  /** The file system that a file:// path is on: the same path on two access points is two places. */
  readonly mount: string;
}

/**
 * Roots that lie in one another, within a cluster or between two: files would be saved twice, and a restore of one would
 * write over the other.
 */
export function rootFindings(clusters: Readonly<Record<string, ClusterConfig>>): readonly string[] {
  const roots = Object.entries(clusters).flatMap(([name, cluster]) => locate(name, cluster));
  return roots.flatMap((right, index) => {
    const left = roots.slice(0, index).find((other) => overlaps(other, right));
    return left === undefined ? [] : [`${right.path} overlaps with ${left.path}; every root needs a place of its own`];
  });
}

function locate(name: string, cluster: ClusterConfig): readonly LocatedRoot[] {
  return cluster.roots.flatMap((root, index) => {
    const place = parseRootUrl(root.url);
    const mount = cluster.mount?.accessPointArn ?? '';
    return place === undefined ? [] : [{ path: `clusters.${name}.roots[${index}].url`, place, mount }];
  });
}

function overlaps(left: LocatedRoot, right: LocatedRoot): boolean {
  return placesOverlap(left.place, right.place) && (left.place.kind === 's3' || left.mount === right.mount);
}
