import { namesDifferingInCase } from './names.ts';
import type { BackupConfig, ClusterConfig, VerifyConfig } from './schema.ts';
import { timerFindings } from './timer-findings.ts';

type Drill = VerifyConfig['drills'][number];
type Clusters = Readonly<Record<string, ClusterConfig>>;

/** Drills overwrite the cluster that they name: it must say itself that it may be overwritten, and be able to take the snapshot. */
export function drillFindings(path: string, backup: BackupConfig, clusters: Clusters): readonly string[] {
  const { drills } = backup.verify;
  return [
    ...namesDifferingInCase(
      path,
      drills.map(({ name }) => name),
    ),
    ...drills.flatMap((drill, index) => [
      ...timerFindings(`${path}[${index}]`, drill),
      ...targetFindings(`${path}[${index}].cluster`, drill, { backup, clusters }),
    ]),
  ];
}

function targetFindings(
  path: string,
  { cluster: name }: Drill,
  { backup, clusters }: { readonly backup: BackupConfig; readonly clusters: Clusters },
): readonly string[] {
  const target = clusters[name];
  const source = clusters[backup.cluster];
  if (target === undefined) {
    return [`${path} names '${name}'; known clusters: ${Object.keys(clusters).sort().join(', ') || 'none'}`];
  }
  if (!target.scratch) {
    return [`${path} names '${name}', which a drill would overwrite; if it may, give that cluster 'scratch: true'`];
  }
  // Of a backup of an unknown cluster there is a finding already.
  return source === undefined ? [] : fitFindings(path, name, { source, target });
}

function fitFindings(
  path: string,
  name: string,
  { source, target }: { readonly source: ClusterConfig; readonly target: ClusterConfig },
): readonly string[] {
  if (source.source.kind !== target.source.kind) {
    return [
      `${path} names '${name}', whose source is '${target.source.kind}'; snapshots of '${source.source.kind}' cannot be restored there`,
    ];
  }
  // A single root takes everything; of several, each takes what its namesake held.
  const names = new Set(target.roots.map((root) => root.name));
  const missing = target.roots.length < 2 ? undefined : source.roots.find((root) => !names.has(root.name));
  return missing === undefined ? [] : [`${path} names '${name}', which has no root '${missing.name}' to restore into`];
}
