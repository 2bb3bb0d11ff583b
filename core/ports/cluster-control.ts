import { RankvaultError } from '../errors.ts';

/**
 * What Rankvault asks of a running cluster around a system backup, and of a stopped one before a restore.
 *
 * Every method throws an error of family `transient` while the cluster cannot be reached, except `beginBackup` and `endBackup`
 * once the request may have left, and `isStopped`, for which silence is an answer.
 *
 * Adapters: `adapters/kinetica/kinetica-control.ts`; twin: `test/support/in-memory-cluster-control.ts`.
 */
export interface ClusterControl {
  /**
   * Puts the cluster in backup mode: returns when running writes have finished and later ones hang. May take minutes. Sent once, never retried here.
   * @throws ControlRefused the cluster answered and did not begin
   * @throws ControlAmbiguous the cluster may be in backup mode now, or get into it later
   */
  beginBackup(): Promise<void>;
  /**
   * Back to normal mode. Sent once, never retried here: whoever calls it observes and calls again.
   * @returns `refused` when the cluster answered that it did not do it, usually because it was not in backup mode
   * @throws ControlAmbiguous no readable answer came
   */
  endBackup(): Promise<EndOutcome>;
  observe(): Promise<ClusterObservation>;
  /** Ranks and TOMs from every place where the cluster shows them. */
  topology(): Promise<DiscoveredTopology>;
  /** `stopped` only when each place that could show a running cluster was asked and denied it. */
  isStopped(): Promise<StopVerdict>;
}

export type EndOutcome = { readonly outcome: 'ended' } | { readonly outcome: 'refused'; readonly message: string };

export type StopVerdict = 'stopped' | 'running' | 'unknown';

/**
 * `normal` means that the cluster shows no sign of backup mode. A cluster that never shows it looks normal always: an
 * observation made right after a successful begin tells whether this one does. `unknown`: nothing that could show it answered,
 * or the signs contradict each other.
 */
export type BackupMode = 'normal' | 'backing_up' | 'unknown';

export interface ClusterObservation {
  /** The cluster calls itself running. */
  readonly running: boolean;
  /** Its own word for that, for logs: `running`, `limited`, `shutdown`. */
  readonly statusWord: string;
  readonly backupMode: BackupMode;
  /** What `backupMode` was concluded from, one sentence for logs. */
  readonly backupModeEvidence: string;
  /** Ranks are being added or removed, or data is being rebalanced. */
  readonly clusterOperationInProgress: boolean;
  /** Dotted, as the server writes it. */
  readonly serverVersion: string | undefined;
  /** A ring member that still replays the writes of the others. */
  readonly draining: boolean;
}

export interface DiscoveredTopology {
  /** Ascending, with the gaps that the cluster has; rank 0 is the head. */
  readonly ranks: readonly DiscoveredRank[];
  readonly fingerprint: TopologyFingerprint;
  /** One line for each step of the recipe, also those that gave nothing. */
  readonly steps: readonly RecipeStep[];
}

export interface DiscoveredRank {
  readonly rank: number;
  /** Ascending; empty for a head without data of its own; undefined when nothing says which TOMs the rank has. */
  readonly toms: readonly number[] | undefined;
  /** The configuration keeps the number free and nothing else knows the rank: its persisted data is not loaded. */
  readonly removed?: true;
}

/** JSON-safe. Two equal fingerprints: no shard moved between the two looks. */
export interface TopologyFingerprint {
  /** 64-bit counter of changes as decimal digits; undefined when the cluster does not show its shard map. */
  readonly shardVersion: string | undefined;
  /** Ascending by rank, then TOM. */
  readonly shardCounts: readonly ShardCount[];
  readonly serverVersion: string | undefined;
}

export interface ShardCount {
  readonly rank: number;
  readonly tom: number | undefined;
  readonly shards: number;
}

export type RecipeStepName = 'shards' | 'worker_urls' | 'rank_status' | 'toms_per_rank';

export interface RecipeStep {
  readonly step: RecipeStepName;
  /** Against the union of all steps. */
  readonly result: 'agrees' | 'differs' | 'unavailable';
  /** What it said, or why it said nothing. */
  readonly detail: string;
}

/**
 * A begin or end was sent and its outcome is not known: a timeout, a lost reply, an answer of a proxy. Fatal to the step that
 * sent it, because sending it again by itself is what must not happen; `Release` is the way out.
 */
export class ControlAmbiguous extends RankvaultError {
  override readonly name = 'ControlAmbiguous';
  readonly family = 'fatal';
}

/** The cluster answered a begin, and the answer is no. */
export class ControlRefused extends RankvaultError {
  override readonly name = 'ControlRefused';
  readonly family = 'fatal';
}
