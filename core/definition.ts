import { createHash } from 'node:crypto';
import type { ClusterConfig } from './config/schema.ts';

/**
 * What a backup covers: changing any of it makes the next snapshot a full, because paths of the base may mean something else
 * now. Schedules, retention, speed, and how files are reached (keys, waiting times) are not part of it.
 */
export function definitionOf(clusterName: string, cluster: ClusterConfig): Readonly<Record<string, unknown>> {
  return { cluster: clusterName, source: cluster.source.kind, roots: rootsOf(cluster) };
}

function rootsOf({ source, roots }: ClusterConfig): readonly unknown[] {
  if (source.kind === 'files') {
    return roots.map(({ kmsKeyArn: _key, ...root }) => root);
  }
  const { kmsKeyArn: _key, settleMinutes: _settle, ...covered } = source;
  return [covered];
}

/** SHA-256, hex, of the definition's JSON with sorted keys. */
export function digestOf(definition: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(definition)))
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sortKeys);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
