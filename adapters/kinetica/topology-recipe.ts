import type { DiscoveredRank, DiscoveredTopology, RecipeStep, ShardCount } from '../../core/ports/cluster-control.ts';
import type { Said } from './said.ts';
import type { ShardMap } from './shard-map.ts';
import type { StatusRank } from './status-ranks.ts';
import type { WorkerSlots } from './topology-properties.ts';

export interface TopologyEvidence {
  readonly shards: Said<ShardMap>;
  readonly workerUrls: Said<WorkerSlots>;
  readonly statusRanks: Said<readonly StatusRank[]>;
  readonly tomsPerRank: Said<number>;
  readonly serverVersion: string | undefined;
}

/**
 * Kinetica has no "number of ranks". No place is complete: the shard map lacks a rank that was added and not yet rebalanced,
 * the URL list may be off, the status has no TOMs. So the union counts, and every place is held against it.
 * @returns undefined when no place names a worker
 */
export function discoverTopology(evidence: TopologyEvidence): DiscoveredTopology | undefined {
  const counts = 'said' in evidence.shards ? evidence.shards.said.counts : [];
  const workers = ascending(
    [
      ...counts.map(({ rank }) => rank),
      ...('said' in evidence.workerUrls ? evidence.workerUrls.said.present : []),
      ...('said' in evidence.statusRanks ? evidence.statusRanks.said.map(({ rank }) => rank) : []),
    ].filter((rank) => rank > 0),
  );
  if (workers.length === 0) return undefined;
  const removed = 'said' in evidence.workerUrls ? evidence.workerUrls.said.removed : [];
  const ranks: DiscoveredRank[] = [
    { rank: 0, toms: tomsWithShards(counts, 0) },
    ...workers.map((rank) => ({ rank, toms: tomsOf(rank, evidence) })),
    ...removed
      .filter((rank) => !workers.includes(rank))
      .map((rank) => ({ rank, toms: undefined, removed: true }) as const),
  ];
  return {
    ranks: ranks.sort((a, b) => a.rank - b.rank),
    fingerprint: {
      shardVersion: 'said' in evidence.shards ? evidence.shards.said.version.toString() : undefined,
      shardCounts: counts,
      serverVersion: evidence.serverVersion,
    },
    steps: compareSteps(evidence, workers),
  };
}

/** A TOM may own no shard yet, so the configured number is added to what the shard map shows. */
function tomsOf(rank: number, evidence: TopologyEvidence): number[] | undefined {
  const counts = 'said' in evidence.shards ? evidence.shards.said.counts : [];
  const configured = 'said' in evidence.tomsPerRank ? firstNumbers(evidence.tomsPerRank.said) : [];
  const toms = ascending([...tomsWithShards(counts, rank), ...configured]);
  return toms.length === 0 ? undefined : toms;
}

function tomsWithShards(counts: readonly ShardCount[], rank: number): number[] {
  return ascending(counts.flatMap((count) => (count.rank === rank && count.tom !== undefined ? [count.tom] : [])));
}

function compareSteps(evidence: TopologyEvidence, workers: readonly number[]): RecipeStep[] {
  return [
    compareRanks(
      'shards',
      workers,
      said(evidence.shards, (map) => map.counts.map(({ rank }) => rank)),
    ),
    compareRanks(
      'worker_urls',
      workers,
      said(evidence.workerUrls, (slots) => slots.present),
    ),
    compareRanks(
      'rank_status',
      workers,
      said(evidence.statusRanks, (ranks) => ranks.map(({ rank }) => rank)),
    ),
    compareToms(evidence),
  ];
}

function said<T, U>(evidence: Said<T>, choose: (value: T) => U): Said<U> {
  return 'said' in evidence ? { said: choose(evidence.said) } : evidence;
}

function compareRanks(
  step: RecipeStep['step'],
  workers: readonly number[],
  ranks: Said<readonly number[]>,
): RecipeStep {
  if ('reason' in ranks) return { step, result: 'unavailable', detail: ranks.reason };
  const named = new Set(ranks.said);
  const missing = workers.filter((rank) => !named.has(rank));
  const shown = `ranks ${describeNumbers(ascending([...named].filter((rank) => rank > 0)))}`;
  // The head owns no shards, so the shard map and it contradict each other.
  if (step === 'shards' && named.has(0)) return { step, result: 'differs', detail: `${shown}, and shards of the head` };
  if (missing.length === 0) return { step, result: 'agrees', detail: shown };
  return { step, result: 'differs', detail: `${shown}; lacks ${describeNumbers(missing)}` };
}

function compareToms(evidence: TopologyEvidence): RecipeStep {
  const step = 'toms_per_rank';
  if ('reason' in evidence.tomsPerRank) return { step, result: 'unavailable', detail: evidence.tomsPerRank.reason };
  const configured = evidence.tomsPerRank.said;
  const counts = 'said' in evidence.shards ? evidence.shards.said.counts : [];
  const odd = ascending(counts.map(({ rank }) => rank)).filter((rank) => {
    const toms = tomsWithShards(counts, rank);
    return rank > 0 && toms.length > 0 && toms.join() !== firstNumbers(configured).join();
  });
  if (odd.length === 0) return { step, result: 'agrees', detail: `${configured} TOMs a rank` };
  return { step, result: 'differs', detail: `${configured} TOMs a rank; other TOMs on ranks ${describeNumbers(odd)}` };
}

function firstNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** `1-4, 7` for an ascending list: a thousand ranks must fit in a log line. */
function describeNumbers(numbers: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last === number - 1) range.last = number;
    else ranges.push({ first: number, last: number });
  }
  const shown = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
  return shown === '' ? 'none' : shown;
}
