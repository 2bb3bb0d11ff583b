import * as z from 'zod/mini';
import {
  type ClusterControl,
  type ClusterObservation,
  ControlRefused,
  type DiscoveredTopology,
  type EndOutcome,
  type StopVerdict,
} from '../../core/ports/cluster-control.ts';
import type { WorkCall } from './client-calls.ts';
import { askHostManager, type HostManagerAnswer } from './host-manager.ts';
import { flag, smallInteger, unpackJson } from './json-text.ts';
import type { KineticaClient } from './kinetica-client.ts';
import {
  KineticaRefused,
  KineticaReplyInvalid,
  KineticaTopologyUnknown,
  KineticaUnsupported,
} from './kinetica-errors.ts';
import { DEFAULT_HOST_MANAGER_PORT, endpointUrl, hostManagerUrl, parseBaseUrl, shownUrl } from './kinetica-urls.ts';
import { decideBackupMode, decideStopped, showsOtherOperation } from './observation.ts';
import type { Said } from './said.ts';
import { parseShardMap, type ShardMap } from './shard-map.ts';
import { parseStatusRanks, readOnlyWorkers, type StatusRank } from './status-ranks.ts';
import { parseTomsPerRank, parseWorkerUrls, propertyText, TOPOLOGY_PROPERTIES } from './topology-properties.ts';
import { discoverTopology } from './topology-recipe.ts';

export interface KineticaControlOptions {
  /** Needed where it has another scheme or host than the head. @default - derived from the base URL */
  readonly hostManagerUrl?: string;
  /**
   * For a base URL without a path. Without it a stopped cluster is only proven stopped while its host manager answers on 9300.
   * @default - what the running server publishes, else 9300
   */
  readonly hostManagerPort?: number;
  /**
   * `this-member-only` sends begin and end with `X-Kinetica-Group: REPL_NONE`: whether an HA ring would replay them on the
   * other members is not documented. Without effect outside a ring.
   * @default 'this-member-only'
   */
  readonly replication?: 'this-member-only' | 'server-default';
}

const propertiesReply = z.looseObject({ property_map: z.record(z.string(), z.unknown()) });
const statusReply = z.looseObject({
  status_map: z.looseObject({
    system: z.optional(z.unknown()),
    ranks: z.optional(z.unknown()),
    ha_status: z.optional(z.unknown()),
  }),
});
const operationsReply = z.looseObject({ in_progress: flag });
const anyRecord = z.looseObject({});
const optionalText = z.catch(z.optional(z.string()), undefined);
const systemBlock = z.looseObject({ status: z.string(), version: optionalText });
const haBlock = z.looseObject({ drained: optionalText });

type Fields = Readonly<Record<string, unknown>>;

/** Kinetica's REST interface as the cluster control of system backups. */
export class KineticaControl implements ClusterControl {
  readonly #client: KineticaClient;
  readonly #options: KineticaControlOptions;
  readonly #hostManagerUrl: URL | undefined;
  #publishedPort: number | undefined;

  /** @throws KineticaConfigInvalid */
  constructor(client: KineticaClient, options: KineticaControlOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#hostManagerUrl = options.hostManagerUrl === undefined ? undefined : parseBaseUrl(options.hostManagerUrl);
  }

  async beginBackup(): Promise<void> {
    try {
      await this.#client.startWork(this.#workCall('/admin/backup/begin', this.#client.timeLimits.beginMillis));
    } catch (error) {
      if (!(error instanceof KineticaRefused)) throw error;
      throw new ControlRefused(error.problem, {
        hint: 'See whether somebody else holds the cluster in backup mode, and whether the user has system_admin.',
        cause: error,
      });
    }
  }

  async endBackup(): Promise<EndOutcome> {
    try {
      await this.#client.startWork(this.#workCall('/admin/backup/end', this.#client.timeLimits.endMillis));
      return { outcome: 'ended' };
    } catch (error) {
      if (error instanceof KineticaRefused) return { outcome: 'refused', message: error.serverMessage };
      throw error;
    }
  }

  async observe(): Promise<ClusterObservation> {
    const [statusMap, operations, hostManager] = await Promise.all([
      this.#statusMap(),
      this.#client.read('/admin/show/cluster/operations', { history_index: 0, options: {} }, operationsReply),
      this.#publishedHostManager(),
    ]);
    const system = systemBlock.safeParse(unpackJson(statusMap.system));
    if (!system.success) {
      throw new KineticaReplyInvalid(`Kinetica at ${this.#shown()} shows no system status.`, {
        hint: 'Check that the server is Kinetica 7.2.',
        replyStart: '',
      });
    }
    const ha = haBlock.safeParse(unpackJson(statusMap.ha_status));
    const decision = decideBackupMode(hostManager, readOnlyWorkers(parseStatusRanks(statusMap) ?? []));
    const version = system.data.version ?? (hostManager.kind === 'answered' ? hostManager.record.version : undefined);
    return {
      running: system.data.status.toLowerCase() === 'running',
      statusWord: this.#client.redact(system.data.status),
      backupMode: decision.backupMode,
      backupModeEvidence: this.#client.redact(decision.backupModeEvidence),
      clusterOperationInProgress: operations.in_progress || showsOtherOperation(hostManager),
      serverVersion: version === undefined ? undefined : this.#client.redact(version),
      draining: ha.success && ha.data.drained?.toLowerCase() === 'draining',
    };
  }

  async topology(): Promise<DiscoveredTopology> {
    const [shards, statusRanks, properties] = await Promise.all([
      unlessUnusable(() => this.#shards()),
      unlessUnusable(() => this.#statusRanks()),
      unlessUnusable(() => this.#properties(TOPOLOGY_PROPERTIES)),
    ]);
    const version = 'said' in properties ? propertyText(properties.said, TOPOLOGY_PROPERTIES[0]) : undefined;
    const topology = discoverTopology({
      shards,
      statusRanks,
      workerUrls: 'said' in properties ? parseWorkerUrls(properties.said) : properties,
      tomsPerRank: 'said' in properties ? parseTomsPerRank(properties.said) : properties,
      serverVersion: version === undefined ? undefined : this.#client.redact(version),
    });
    if (topology !== undefined) return topology;
    throw new KineticaTopologyUnknown(`Kinetica at ${this.#shown()} names no worker rank anywhere.`, {
      hint: "Give the cluster's topology in the configuration, or a user that may read shards and properties.",
    });
  }

  async isStopped(): Promise<StopVerdict> {
    const [head, hostManager] = await Promise.all([
      this.#client.probe({ url: endpointUrl(this.#client.baseUrl, '/'), method: 'GET', authenticated: false }),
      this.#hostManager(),
    ]);
    return decideStopped({
      head,
      hostManager,
      hostManagerAddressKnown: this.#hostManagerAddressKnown(),
      proxied: this.#client.baseUrl.pathname !== '/',
    });
  }

  #workCall(endpoint: string, limitMillis: number): WorkCall {
    const group = this.#options.replication === 'server-default' ? {} : ({ group: 'REPL_NONE' } as const);
    return { endpoint, request: { options: {} }, limitMillis, ...group };
  }

  async #statusMap(): Promise<z.output<typeof statusReply>['status_map']> {
    return (await this.#client.read('/show/system/status', { options: {} }, statusReply)).status_map;
  }

  async #properties(keys: readonly string[]): Promise<Said<Fields>> {
    const request = { options: { properties: keys.join(',') } };
    return { said: (await this.#client.read('/show/system/properties', request, propertiesReply)).property_map };
  }

  async #shards(): Promise<Said<ShardMap>> {
    const map = parseShardMap(await this.#client.read('/admin/show/shards', { options: {} }, anyRecord));
    return map === undefined ? { reason: 'the shard map has an unknown shape' } : { said: map };
  }

  async #statusRanks(): Promise<Said<readonly StatusRank[]>> {
    const ranks = parseStatusRanks(await this.#statusMap());
    return ranks === undefined ? { reason: 'the status names no ranks' } : { said: ranks };
  }

  /** Learns the host manager's port first where only the server knows it. */
  async #publishedHostManager(): Promise<HostManagerAnswer> {
    if (!this.#hostManagerAddressKnown()) {
      const properties = await unlessUnusable(() => this.#properties(['conf.hm_http_port']));
      const port = smallInteger.safeParse('said' in properties ? properties.said['conf.hm_http_port'] : undefined);
      if (port.success && port.data > 0 && port.data < 65_536) this.#publishedPort = port.data;
    }
    return this.#hostManager();
  }

  /** Behind a proxy it follows from the base URL. */
  #hostManagerAddressKnown(): boolean {
    const port = this.#options.hostManagerPort ?? this.#publishedPort;
    return this.#hostManagerUrl !== undefined || port !== undefined || this.#client.baseUrl.pathname !== '/';
  }

  #hostManager(): Promise<HostManagerAnswer> {
    const port = this.#options.hostManagerPort ?? this.#publishedPort ?? DEFAULT_HOST_MANAGER_PORT;
    return askHostManager(this.#client, this.#hostManagerUrl ?? hostManagerUrl(this.#client.baseUrl, port));
  }

  #shown(): string {
    return shownUrl(this.#client.baseUrl);
  }
}

/** A step that this server cannot answer is left out; an unreachable server, or bad credentials, still throw. */
async function unlessUnusable<T>(ask: () => Promise<Said<T>>): Promise<Said<T>> {
  try {
    return await ask();
  } catch (error) {
    const unusable =
      error instanceof KineticaUnsupported || error instanceof KineticaRefused || error instanceof KineticaReplyInvalid;
    if (!unusable) throw error;
    return { reason: error.problem };
  }
}
