import { KineticaUnavailable } from '../../adapters/kinetica/kinetica-errors.ts';
import {
  type BackupMode,
  type ClusterControl,
  type ClusterObservation,
  ControlAmbiguous,
  ControlRefused,
  type DiscoveredTopology,
  type EndOutcome,
  type StopVerdict,
} from '../../core/ports/cluster-control.ts';

interface InMemoryClusterOptions {
  /** Workers 1..N. @default 2 */
  readonly workers?: number;
  /** @default 1 */
  readonly tomsPerRank?: number;
}

/** A cluster without files or network. Its public fields are the test's hands on it. */
export class InMemoryClusterControl implements ClusterControl {
  readonly #workers: number;
  readonly #tomsPerRank: number;
  stopped = false;
  mode: 'normal' | 'backing_up' = 'normal';
  /** What the cluster lets be seen of its mode. */
  visibility: 'shown' | 'hidden' | 'silent' = 'shown';
  operationInProgress = false;
  draining = false;
  refusesSecondBegin = false;
  refusesStrayEnd = false;
  shardVersion = 1n;
  /** Outcomes of the next begins; the kinds say whether the cluster carried the begin out. */
  readonly nextBegins: ('lost_after' | 'lost_before')[] = [];
  readonly nextEnds: ('lost_after' | 'lost_before' | 'refused')[] = [];
  /** Requests that reached the cluster, oldest first. */
  readonly sent: ('begin' | 'end')[] = [];

  constructor({ workers = 2, tomsPerRank = 1 }: InMemoryClusterOptions = {}) {
    this.#workers = workers;
    this.#tomsPerRank = tomsPerRank;
  }

  async beginBackup(): Promise<void> {
    this.#assertReachable();
    this.sent.push('begin');
    const loss = this.nextBegins.shift();
    if (loss === 'lost_before') throw ambiguous('begin');
    if (this.mode === 'backing_up' && this.refusesSecondBegin) {
      throw new ControlRefused('The cluster is in backup mode already.', { hint: 'See who holds it.' });
    }
    this.mode = 'backing_up';
    if (loss === 'lost_after') throw ambiguous('begin');
  }

  async endBackup(): Promise<EndOutcome> {
    this.#assertReachable();
    this.sent.push('end');
    const fault = this.nextEnds.shift();
    if (fault === 'lost_before') throw ambiguous('end');
    if (fault === 'refused') return { outcome: 'refused', message: 'Unable to end the backup' };
    if (this.mode === 'normal' && this.refusesStrayEnd) {
      return { outcome: 'refused', message: 'The cluster is not in backup mode' };
    }
    this.mode = 'normal';
    if (fault === 'lost_after') throw ambiguous('end');
    return { outcome: 'ended' };
  }

  async observe(): Promise<ClusterObservation> {
    this.#assertReachable();
    return {
      running: true,
      statusWord: 'running',
      backupMode: this.#shownMode(),
      backupModeEvidence: `The in-memory cluster's mode is ${this.visibility}.`,
      clusterOperationInProgress: this.operationInProgress,
      serverVersion: '7.2.3.14',
      draining: this.draining,
    };
  }

  async topology(): Promise<DiscoveredTopology> {
    this.#assertReachable();
    const workers = Array.from({ length: this.#workers }, (_, index) => index + 1);
    const toms = Array.from({ length: this.#tomsPerRank }, (_, index) => index);
    const pairs = workers.flatMap((rank) => toms.map((tom) => ({ rank, tom })));
    const shardCounts = pairs.map((pair, index) => ({
      ...pair,
      shards: Math.floor(SHARD_COUNT / pairs.length) + (index < SHARD_COUNT % pairs.length ? 1 : 0),
    }));
    const detail = 'held in memory';
    return {
      ranks: [{ rank: 0, toms: [] }, ...workers.map((rank) => ({ rank, toms }))],
      fingerprint: { shardVersion: this.shardVersion.toString(), shardCounts, serverVersion: '7.2.3.14' },
      steps: [
        { step: 'shards', result: 'agrees', detail },
        { step: 'worker_urls', result: 'agrees', detail },
        { step: 'rank_status', result: 'agrees', detail },
        { step: 'toms_per_rank', result: 'agrees', detail },
      ],
    };
  }

  async isStopped(): Promise<StopVerdict> {
    return this.stopped ? 'stopped' : 'running';
  }

  #shownMode(): BackupMode {
    if (this.visibility === 'silent') return 'unknown';
    return this.visibility === 'shown' ? this.mode : 'normal';
  }

  #assertReachable(): void {
    if (this.stopped) throw new KineticaUnavailable('The in-memory cluster is stopped.', { hint: 'Start it.' });
  }
}

const SHARD_COUNT = 16_384;

function ambiguous(what: 'begin' | 'end'): ControlAmbiguous {
  return new ControlAmbiguous(`The reply of ${what} was lost.`, { hint: 'Release the cluster.' });
}
