import { BackupModeGate } from './backup-mode.ts';
import { type LocalRank, SHARD_COUNT } from './layout.ts';
import type { LocalKineticaSwitches } from './switches.ts';

/** Names of cluster operations in the server's event catalog, without the backup. */
export type LocalClusterOperation = 'none' | 'adding_ranks' | 'removing_ranks' | 'rebalancing' | 'migrating';

/** What the stand-in's endpoints show of itself. */
export class ClusterModel {
  readonly workers: readonly LocalRank[];
  readonly switches: LocalKineticaSwitches;
  readonly backupMode: BackupModeGate;
  readonly version: string;
  readonly directory: string | undefined;
  clusterOperation: LocalClusterOperation = 'none';
  running = true;
  shardVersion = 1n;
  /** Added and not yet rebalanced: they own no shards. */
  ranksWithoutShards: readonly number[] = [];
  /** Known when the servers listen. */
  ports = { head: 0, hostManager: 0 };

  constructor(options: {
    readonly workers: readonly LocalRank[];
    readonly switches: LocalKineticaSwitches;
    readonly nowEpochMillis: () => number;
    readonly version: string;
    readonly directory: string | undefined;
  }) {
    this.workers = options.workers;
    this.switches = options.switches;
    this.backupMode = new BackupModeGate(options.switches, options.nowEpochMillis);
    this.version = options.version;
    this.directory = options.directory;
  }

  properties(): Record<string, string> {
    const { switches } = this;
    return {
      'version.gpudb_core_version': this.version,
      'conf.toms_per_rank': String(Math.max(1, ...this.workers.map(({ toms }) => toms.length))),
      'conf.enable_worker_http_servers': switches.workerHttpServers ? 'TRUE' : 'FALSE',
      ...(switches.workerHttpServers ? { 'conf.worker_http_server_urls': this.#workerUrls() } : {}),
      'conf.number_of_hosts': '1',
      'conf.hm_http_port': String(this.ports.hostManager),
      'conf.enable_ha': switches.haStatus === 'none' ? 'FALSE' : 'TRUE',
      'conf.use_https': 'FALSE',
      'conf.cluster_name': 'stand-in',
      ...(this.directory === undefined ? {} : { 'conf.persist_directory': this.directory }),
    };
  }

  /** Slot index is the rank number and an empty slot a removed rank. Nothing listens at the workers' addresses. */
  #workerUrls(): string {
    const slots = Array.from({ length: (this.workers.at(-1)?.rank ?? 0) + 1 }, () => '');
    for (const rank of [0, ...this.workers.map((worker) => worker.rank)]) {
      slots[rank] = `http://127.0.0.1:${this.ports.head + rank}`;
    }
    return slots.join(';');
  }

  /** Each value is JSON in a string. */
  statusMap(): Record<string, string> {
    const readOnly = this.switches.ranksShowReadOnly && this.backupMode.mode === 'backing_up';
    const ranks = [0, ...this.workers.map(({ rank }) => rank)].map((rank) => ({
      rank,
      rank_status: 'running',
      rank_mode: 'run',
      accepting_jobs: true,
      read_only: readOnly && rank > 0,
    }));
    const byRank = Object.fromEntries(ranks.map(({ rank, ...fields }) => [String(rank), JSON.stringify(fields)]));
    return {
      system: JSON.stringify({ status: 'running', version: this.version }),
      ranks: JSON.stringify(this.switches.rankContainer === 'array' ? ranks : byRank),
      ...(this.switches.haStatus === 'none' ? {} : { ha_status: JSON.stringify({ drained: this.switches.haStatus }) }),
    };
  }

  /** All slots, dealt out in turn to the (rank, TOM) pairs. */
  shards(): Record<string, unknown> {
    const pairs = this.workers
      .filter(({ rank }) => !this.ranksWithoutShards.includes(rank))
      .flatMap(({ rank, toms }) => toms.map((tom) => ({ rank, tom })));
    const owners = Array.from(
      { length: pairs.length === 0 ? 0 : SHARD_COUNT },
      (_, shard) => pairs[shard % pairs.length],
    );
    const rank = owners.map((owner) => owner?.rank);
    const tom = owners.map((owner) => owner?.tom);
    const version = Number(this.shardVersion);
    if (this.switches.shardSchema === 'published') return { version, rank, tom };
    return { shard_array_version: version, shard_map: owners };
  }

  operations(historyIndex: number): Record<string, unknown> {
    const inProgress = this.clusterOperation !== 'none';
    const status = inProgress ? 'IN_PROGRESS' : 'NOT_STARTED';
    return {
      history_index: historyIndex,
      history_size: inProgress ? 1 : 0,
      in_progress: inProgress,
      start_time: '',
      end_time: '',
      endpoint: inProgress ? '/admin/rebalance' : '',
      endpoint_schema: '',
      overall_status: 'OK',
      user_stopped: false,
      percent_complete: 0,
      dry_run: false,
      messages: [],
      ...this.#partialOperations(status),
    };
  }

  #partialOperations(status: string): Record<string, unknown> {
    const adds = this.clusterOperation === 'adding_ranks';
    const removes = this.clusterOperation === 'removing_ranks';
    const rebalancing = this.clusterOperation === 'rebalancing';
    return {
      add_ranks: adds,
      add_ranks_status: adds ? status : 'NOT_STARTED',
      ranks_being_added: [],
      rank_hosts: [],
      add_ranks_percent_complete: 0,
      remove_ranks: removes,
      remove_ranks_status: removes ? status : 'NOT_STARTED',
      ranks_being_removed: [],
      remove_ranks_percent_complete: 0,
      rebalance: rebalancing,
      rebalance_unsharded_data: rebalancing,
      rebalance_unsharded_data_status: rebalancing ? status : 'NOT_STARTED',
      unsharded_rebalance_percent_complete: 0,
      rebalance_sharded_data: rebalancing,
      shard_array_version: Number(this.shardVersion),
      rebalance_sharded_data_status: rebalancing ? status : 'NOT_STARTED',
      num_shards_changing: 0,
      sharded_rebalance_percent_complete: 0,
    };
  }

  /** Plain strings, without the envelope. */
  hostManager(): Record<string, string> {
    const word = this.running ? 'running' : 'stopped';
    const backingUp = this.switches.hostManagerShowsBackupMode && this.backupMode.mode === 'backing_up';
    const operation = backingUp ? 'backing_up' : this.clusterOperation;
    const ranks = [0, ...this.workers.map(({ rank }) => rank)].map((rank) => [
      [`rank${rank}_mode`, this.running ? 'run' : 'shutdown'],
      [`rank${rank}_status`, word],
    ]);
    return {
      version: this.version,
      hostname: '127.0.0.1',
      system_mode: this.running ? 'run' : 'shutdown',
      system_status: word,
      cluster_leader: '127.0.0.1',
      cluster_operation: this.running ? operation : 'none',
      cluster_operation_status: operation === 'none' ? '' : 'in_progress',
      system_rebalancing: String(this.clusterOperation === 'rebalancing'),
      license_status: 'ok',
      ...Object.fromEntries(ranks.flat()),
    };
  }
}
