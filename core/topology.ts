import * as z from 'zod/mini';

/** Ranks of a cluster and, where known, the TOMs of each. The head rank 0 usually has none. */
export const topologySchema = z.object({
  ranks: z.array(
    z.object({ rank: z.int().check(z.nonnegative()), toms: z.optional(z.array(z.int().check(z.nonnegative()))) }),
  ),
  /** `config`, `cluster` (asked of the control endpoint) or `roots` (read from the directories). */
  from: z.enum(['config', 'cluster', 'roots']),
});
export type Topology = z.infer<typeof topologySchema>;

export function rankNumbers(topology: Topology): readonly number[] {
  return topology.ranks.map((entry) => entry.rank).sort((a, b) => a - b);
}

export interface TopologyDifference {
  /** Ranks of the snapshot that the target lacks. */
  readonly missing: readonly number[];
  /** Ranks of the target that the snapshot lacks. */
  readonly extra: readonly number[];
  /** Ranks on both sides whose TOMs are known and differ. */
  readonly otherToms: readonly number[];
}

/** @returns undefined when the target can take the snapshot's ranks one to one */
export function compareTopologies(snapshot: Topology, target: Topology): TopologyDifference | undefined {
  const targetToms = new Map(target.ranks.map((entry) => [entry.rank, entry.toms]));
  const snapshotRanks = new Set(rankNumbers(snapshot));
  const missing = rankNumbers(snapshot).filter((rank) => !targetToms.has(rank));
  const extra = rankNumbers(target).filter((rank) => !snapshotRanks.has(rank));
  const otherToms = snapshot.ranks
    .filter((entry) => differ(entry.toms, targetToms.get(entry.rank)))
    .map((entry) => entry.rank);
  return missing.length + extra.length + otherToms.length === 0 ? undefined : { missing, extra, otherToms };
}

function differ(left: readonly number[] | undefined, right: readonly number[] | undefined): boolean {
  return left !== undefined && right !== undefined && sorted(left) !== sorted(right);
}

function sorted(toms: readonly number[]): string {
  return [...toms].sort((a, b) => a - b).join(',');
}

/** `ranks 0, 1, 2 (TOMs 0-1 each)`, for messages. */
export function describeTopology(topology: Topology): string {
  const ranks = topology.ranks.map(({ rank, toms }) =>
    toms === undefined || toms.length === 0 ? `${rank}` : `${rank} (TOMs ${toms.join(', ')})`,
  );
  return ranks.length === 0 ? 'no ranks' : `ranks ${ranks.join(', ')}`;
}
