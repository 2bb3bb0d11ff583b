import * as z from 'zod/mini';
import type { ShardCount } from '../../core/ports/cluster-control.ts';
import { smallInteger, unpackJson, wideInteger } from './json-text.ts';

export interface ShardMap {
  /** 64-bit counter of changes. */
  readonly version: bigint;
  /** Ascending by rank, then TOM. */
  readonly counts: readonly ShardCount[];
}

/** The published schema: owner rank and TOM of shard i at index i. */
const publishedSchema = z.looseObject({
  version: wideInteger,
  rank: z.array(smallInteger),
  tom: z.array(smallInteger),
});

/** What the vendor's agent expects instead; the inner shape of `shard_map` is documented nowhere. */
const agentSchema = z.looseObject({ shard_array_version: wideInteger, shard_map: z.unknown() });

const ownerSchema = z.union([
  z.pipe(
    smallInteger,
    z.transform((rank: number) => ({ rank, tom: undefined })),
  ),
  z.looseObject({ rank: smallInteger, tom: z.optional(smallInteger) }),
  z.pipe(
    z.tuple([smallInteger, smallInteger]),
    z.transform(([rank, tom]: [number, number]) => ({ rank, tom })),
  ),
]);

/** Reads either schema of `/admin/show/shards`; undefined when it is neither. */
export function parseShardMap(record: unknown): ShardMap | undefined {
  const published = publishedSchema.safeParse(record);
  if (published.success) {
    const { version, rank, tom } = published.data;
    return rank.length === tom.length ? { version, counts: countPairs(rank, tom) } : undefined;
  }
  const agent = agentSchema.safeParse(record);
  return agent.success ? parseAgentMap(agent.data.shard_array_version, unpackJson(agent.data.shard_map)) : undefined;
}

/** The map as two columns, as a list of owners, or as an object of owners by shard number. */
function parseAgentMap(version: bigint, shardMap: unknown): ShardMap | undefined {
  const columns = publishedSchema.safeParse({ version, ...(isObject(shardMap) ? shardMap : {}) });
  if (columns.success) return parseShardMap(columns.data);
  const entries = Array.isArray(shardMap) ? shardMap : isObject(shardMap) ? Object.values(shardMap) : [];
  const owners = z.array(ownerSchema).safeParse(entries.map(unpackJson));
  if (!owners.success || owners.data.length === 0) return undefined;
  const ranks = owners.data.map((owner) => owner.rank);
  const toms = owners.data.map((owner) => owner.tom);
  return { version, counts: countPairs(ranks, toms) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countPairs(ranks: readonly number[], toms: readonly (number | undefined)[]): ShardCount[] {
  const counts = new Map<string, { rank: number; tom: number | undefined; shards: number }>();
  for (const [shard, rank] of ranks.entries()) {
    const tom = toms[shard];
    const key = `${rank}/${tom ?? ''}`;
    const count = counts.get(key) ?? { rank, tom, shards: 0 };
    count.shards += 1;
    counts.set(key, count);
  }
  return [...counts.values()].sort((a, b) => a.rank - b.rank || (a.tom ?? -1) - (b.tom ?? -1));
}
