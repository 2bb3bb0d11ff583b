import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAuthorized, type LocalCredentials } from './authorization.ts';
import { type LocalBackupMode, LocalKineticaGone } from './backup-mode.ts';
import { ClusterModel, type LocalClusterOperation } from './cluster-model.ts';
import { ERROR_PAGE, LocalKineticaFaults } from './faults.ts';
import { answerHead, failure } from './head-endpoints.ts';
import { type LayoutOptions, type LocalRank, planLayout } from './layout.ts';
import { LoopbackServer, readBody, reply } from './loopback-server.ts';
import { RequestLog, recordedRequest } from './request-log.ts';
import { defaultSwitches, type LocalKineticaSwitches } from './switches.ts';

export interface LocalKineticaOptions extends LayoutOptions {
  /** Epoch milliseconds. @default - the system's clock */
  readonly clock?: () => number;
  /** @default - no authentication */
  readonly credentials?: LocalCredentials;
  readonly switches?: Partial<LocalKineticaSwitches>;
  /** Server version that it shows. @default '7.2.3.14.20260701090000' */
  readonly version?: string;
  /**
   * As the bundled proxy shows a cluster: `/gpudb-0` and `/gpudb-host-manager` on one port that stays open when the cluster
   * stops. @default false
   */
  readonly proxied?: boolean;
}

/** Starts a stand-in cluster's control endpoints on loopback. @throws LocalKineticaInvalid */
export async function startLocalKinetica(options: LocalKineticaOptions = {}): Promise<LocalKinetica> {
  const local = new LocalKinetica(options, await planLayout(options));
  await local.start();
  return local;
}

/** Control endpoints of a cluster that does not exist. It writes no files: sample writers ask `writeGate` or `write`. */
export class LocalKinetica {
  readonly switches: LocalKineticaSwitches;
  readonly faults = new LocalKineticaFaults();
  readonly requests = new RequestLog();
  readonly #options: LocalKineticaOptions;
  readonly #clock: () => number;
  readonly #model: ClusterModel;
  #hostManagerRunning = true;
  readonly #head = new LoopbackServer((request, response) => this.#serveHead(request, response));
  readonly #hostManager = new LoopbackServer((request, response) => this.#serveHostManager(request, response));

  constructor(options: LocalKineticaOptions, workers: readonly LocalRank[]) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.switches = { ...defaultSwitches(), ...options.switches };
    this.#model = new ClusterModel({
      workers,
      switches: this.switches,
      nowEpochMillis: this.#clock,
      version: options.version ?? '7.2.3.14.20260701090000',
      directory: options.directory,
    });
  }

  /** To be shown on start: nobody may take a success against this for one against a real server. */
  get banner(): string {
    return `Kinetica stand-in at ${this.baseUrl}: made from public documentation, not Kinetica; a real server may differ.`;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#head.port}${this.#options.proxied === true ? '/gpudb-0' : ''}`;
  }

  get hostManagerPort(): number {
    return this.#hostManager.port;
  }

  get workers(): readonly LocalRank[] {
    return this.#model.workers;
  }

  get mode(): LocalBackupMode {
    return this.#model.backupMode.mode;
  }

  /** Undefined outside of backup mode. */
  get backupModeSinceEpochMillis(): number | undefined {
    return this.#model.backupMode.sinceEpochMillis;
  }

  /**
   * Hangs while the cluster is in backup mode or gets into it; a begin does not wait for what follows. See `write`.
   * @throws LocalKineticaGone
   */
  async writeGate(): Promise<void> {
    this.#assertRunning();
    await this.#model.backupMode.pass();
  }

  /** Runs a write: it hangs as at `writeGate`, and a begin waits until it is done. @throws LocalKineticaGone */
  async write<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning();
    return this.#model.backupMode.write(work);
  }

  /** For whoever wants to act while writers hang: returns when a begin has come that far. */
  writeGateClosed(mode: 'entering' | 'backing_up' = 'backing_up'): Promise<void> {
    return this.#model.backupMode.reached(mode);
  }

  setClusterOperation(operation: LocalClusterOperation): void {
    this.#model.clusterOperation = operation;
  }

  /** Shards move: the version grows, and ranks may own none. */
  moveShards(ranksWithoutShards: readonly number[] = []): void {
    this.#model.ranksWithoutShards = ranksWithoutShards;
    this.#model.shardVersion += 1n;
  }

  /** Breaks every hanging request. */
  restart(): void {
    this.#model.backupMode.reset(this.switches.backupModeSurvivesRestart);
    this.#head.breakConnections();
  }

  /** The database goes down; its host manager stays up unless it is named. */
  async stop(also: { readonly hostManager?: boolean } = {}): Promise<void> {
    this.#model.running = false;
    this.#model.backupMode.reset(this.switches.backupModeSurvivesRestart);
    if (this.#options.proxied !== true) await this.#head.stop();
    this.#head.breakConnections();
    if (also.hostManager === true) await this.stopHostManager();
  }

  /** Its port closes; behind the proxy the proxy says that nothing is there. */
  async stopHostManager(): Promise<void> {
    this.#hostManagerRunning = false;
    await this.#hostManager.stop();
  }

  async start(): Promise<void> {
    await Promise.all([this.#head.start(), this.#hostManager.start()]);
    this.#model.ports = { head: this.#head.port, hostManager: this.#hostManager.port };
    this.#model.running = true;
    this.#hostManagerRunning = true;
  }

  async close(): Promise<void> {
    this.#model.backupMode.reset(false);
    await Promise.all([this.#head.stop(), this.#hostManager.stop()]);
  }

  #assertRunning(): void {
    if (!this.#model.running) throw new LocalKineticaGone();
  }

  async #serveHead(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const whole = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    if (this.#options.proxied === true && whole.startsWith('/gpudb-host-manager')) {
      return this.#serveHostManager(request, response);
    }
    const bodyText = await readBody(request);
    const path = this.#options.proxied === true ? whole.replace(/^\/gpudb-0(?=\/)/, '') : whole;
    this.requests.add(recordedRequest(request, { server: 'head', path, bodyText }, this.#clock()));
    if (!this.#model.running) return reply(response, ERROR_PAGE, ERROR_PAGE.contentType);
    if (this.#options.proxied === true && path === whole)
      return reply(response, failure(404, 'Not found'), 'application/json');
    if (path === '/' && request.method === 'GET') {
      return reply(response, { httpStatus: 200, body: 'Kinetica is running!' }, 'text/plain');
    }
    return this.#serveEndpoint(request, response, { path, bodyText });
  }

  async #serveEndpoint(
    request: IncomingMessage,
    response: ServerResponse,
    { path, bodyText }: { readonly path: string; readonly bodyText: string },
  ): Promise<void> {
    if (this.faults.takeDrop()) return void request.socket.destroy();
    const canned = this.faults.takeCanned();
    if (canned !== undefined) return reply(response, canned, canned.contentType);
    if (!isAuthorized(request.headers.authorization, this.#options.credentials)) {
      return reply(response, failure(401, 'Insufficient credentials'), 'application/json');
    }
    const lost = this.faults.takeLostReply(path);
    const call = {
      endpoint: path,
      method: request.method ?? '',
      contentType: request.headers['content-type'] ?? '',
      bodyText,
    };
    const answer = await answerHead(call, this.#model, this.faults);
    if (lost) request.socket.destroy();
    else reply(response, answer, 'application/json');
  }

  async #serveHostManager(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname.replace(/^\/gpudb-host-manager/, '') || '/';
    const bodyText = await readBody(request);
    this.requests.add(recordedRequest(request, { server: 'host_manager', path, bodyText }, this.#clock()));
    if (!this.#hostManagerRunning) return reply(response, ERROR_PAGE, ERROR_PAGE.contentType);
    const methods = this.switches.hostManagerMethod === 'both' ? ['GET', 'POST'] : [this.switches.hostManagerMethod];
    if (path !== '/') return reply(response, failure(404, `Unknown URI: ${path}`), 'application/json');
    if (!methods.includes(request.method ?? ''))
      return reply(response, failure(405, 'Wrong method'), 'application/json');
    reply(response, { httpStatus: 200, body: JSON.stringify(this.#model.hostManager()) }, 'application/json');
  }
}
