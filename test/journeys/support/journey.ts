import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import type { RankvaultConfigInput } from '../../../core/config/schema.ts';
import type { FunctionModel } from '../../../local/assembly/assembly-model.ts';
import { Laptop } from '../../../local/laptop/laptop.ts';
import type { AroundInvoke, ExecutionView, WorkflowEvent } from '../../../local/workflow/execution.ts';
import type { JsonObject } from '../../../local/workflow/json.ts';
import {
  type Committed,
  committed,
  type Maintained,
  maintained,
  type Restored,
  restored,
  type Verified,
  verified,
} from './outcomes.ts';
import { backupOf, type FilePlace, filePlace, type S3Place, s3Place } from './places.ts';

/** Bucket of the clusters that keep their files on S3; each has a prefix of its own. */
const DATA_BUCKET = 'journey-data';

type ClusterInput = RankvaultConfigInput['clusters'][string];
type BackupInput = RankvaultConfigInput['backups'][string];

export interface JourneyOptions {
  /** So many clusters whose root is a directory; a test takes fresh ones. @default 0 */
  readonly files?: number;
  /** So many clusters whose root is a prefix of a bucket. @default 0 */
  readonly s3?: number;
  /** Clusters of other shapes; each gets a backup too, unless it is a scratch cluster. */
  readonly clusters?: (directory: string) => Readonly<Record<string, ClusterInput>>;
  /** By name of the cluster: what its backup has beside the defaults. */
  readonly backups?: Readonly<Record<string, Partial<BackupInput>>>;
  /** By name of the cluster. @default - `<cluster>_backup` */
  readonly backupNames?: Readonly<Record<string, string>>;
  readonly vault?: RankvaultConfigInput['vault'];
  readonly secrets?: ReadonlyMap<string, string>;
  /** @default - now */
  readonly startEpochMillis?: number;
  readonly logLevel?: 'DEBUG' | 'ERROR';
}

/** A journey is many runs of whole state machines; on a machine that has other work it takes minutes. Dying everywhere takes longer. */
const PATIENCE_MILLIS = process.env['RANKVAULT_KILL_EVERY'] === '1' ? 7_200_000 : 300_000;
vi.setConfig({ testTimeout: PATIENCE_MILLIS, hookTimeout: 300_000 });

/** What a test may change while the laptop runs. */
interface Hooks {
  aroundInvoke: AroundInvoke | undefined;
  budgetMillis: ((target: FunctionModel, invocation: number) => number | undefined) | undefined;
}

/** Files that were just written count as settled: they are not read again by the next snapshot. */
const MACHINE_AHEAD_MILLIS = 5_000;
/** Between two runs: snapshots have directories by the second. */
const MINUTE = 60_000;

/** One laptop for all tests of a file, with clusters enough for each to have its own. */
export class Journey {
  readonly laptop: Laptop;
  readonly directory: string;
  readonly hooks: Hooks;
  readonly events: WorkflowEvent[];
  readonly #files: string[];
  readonly #s3: string[];

  private constructor(laptop: Laptop, parts: Parts) {
    this.laptop = laptop;
    this.directory = parts.directory;
    this.hooks = parts.hooks;
    this.events = parts.events;
    this.#files = parts.files;
    this.#s3 = parts.s3;
  }

  static async start(options: JourneyOptions): Promise<Journey> {
    const directory = mkdtempSync(join(tmpdir(), 'rankvault-journey-'));
    const hooks: Hooks = { aroundInvoke: undefined, budgetMillis: undefined };
    const events: WorkflowEvent[] = [];
    const files = names('files', options.files ?? 0);
    const s3 = names('s3', options.s3 ?? 0);
    const laptop = await Laptop.start({
      directory: join(directory, 'laptop'),
      config: configOf({ directory, files, s3 }, options),
      machineAheadMillis: MACHINE_AHEAD_MILLIS,
      onEvent: (event) => events.push(event),
      aroundInvoke: (call, proceed) =>
        hooks.aroundInvoke === undefined ? proceed() : hooks.aroundInvoke(call, proceed),
      budgetMillis: (target, invocation) => hooks.budgetMillis?.(target, invocation),
      ...(options.startEpochMillis === undefined ? {} : { startEpochMillis: options.startEpochMillis }),
      ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
      ...(options.logLevel === undefined ? { logLevel: 'SILENT' } : { logLevel: options.logLevel }),
    });
    await laptop.s3Client.send(new CreateBucketCommand({ Bucket: DATA_BUCKET }));
    return new Journey(laptop, { directory, hooks, events, files, s3 });
  }

  /** A cluster in a directory that no other test uses. */
  takeFiles(): FilePlace {
    const cluster = taken(this.#files, 'files');
    return filePlace(cluster, clusterDirectory(this.directory, cluster));
  }

  takeS3(): S3Place {
    return this.s3Place(taken(this.#s3, 's3'));
  }

  /** A cluster of another shape, or a second look at one. */
  s3Place(cluster: string): S3Place {
    return s3Place(cluster, this.laptop.s3Client, DATA_BUCKET);
  }

  filePlace(cluster: string): FilePlace {
    return filePlace(cluster, clusterDirectory(this.directory, cluster));
  }

  /**
   * Takes a snapshot, a minute after whatever was before, and expects it to be committed. Waits for the expiry that it starts: what
   * comes next shall meet nobody.
   */
  async snapshot(
    place: { readonly backup: string },
    type: Committed['type'],
    more: JsonObject = {},
  ): Promise<Committed> {
    const snapshot = committed(await this.trySnapshot(place, type, more));
    await this.laptop.quiet();
    return snapshot;
  }

  /** The same while something else runs that nobody shall wait for. */
  async snapshotBeside(place: { readonly backup: string }, type: Committed['type']): Promise<Committed> {
    return committed(await this.trySnapshot(place, type));
  }

  async trySnapshot(
    { backup }: { readonly backup: string },
    type: Committed['type'],
    more: JsonObject = {},
  ): Promise<ExecutionView> {
    this.laptop.clock.jump(MINUTE);
    return this.laptop.run('Snapshot', { backup, type, ...more });
  }

  /** Restores and expects it to be done. The operator says that the target is stopped, unless told otherwise. */
  async restore(
    from: { readonly backup: string },
    to: { readonly cluster: string },
    choice: RestoreChoice = {},
  ): Promise<Restored> {
    return restored(await this.tryRestore(from, to, choice));
  }

  async tryRestore(
    { backup }: { readonly backup: string },
    { cluster }: { readonly cluster: string },
    { snapshot, ...options }: RestoreChoice = {},
  ): Promise<ExecutionView> {
    this.laptop.clock.jump(MINUTE);
    return this.laptop.run('Restore', {
      backup,
      cluster,
      ...(snapshot === undefined ? {} : { snapshot }),
      options: { targetIsStopped: true, ...options },
    });
  }

  /** Maintains a backup and expects it to be done. */
  async maintain(place: { readonly backup: string }, action: string, more: JsonObject = {}): Promise<Maintained> {
    return maintained(await this.tryMaintain(place, action, more));
  }

  async tryMaintain(
    { backup }: { readonly backup: string },
    action: string,
    more: JsonObject = {},
  ): Promise<ExecutionView> {
    this.laptop.clock.jump(MINUTE);
    return this.laptop.run('Maintain', { action, backup, ...more });
  }

  /** Verifies a backup and expects that nothing of weight is found. */
  async verify(place: { readonly backup: string }, level: string, more: JsonObject = {}): Promise<Verified> {
    return verified(await this.tryVerify(place, level, more));
  }

  async tryVerify(
    { backup }: { readonly backup: string },
    level: string,
    more: JsonObject = {},
  ): Promise<ExecutionView> {
    this.laptop.clock.jump(MINUTE);
    return this.laptop.run('Verify', { level, backup, ...more });
  }

  /** A test that failed halfway must not disturb the next one. */
  calm(): void {
    this.hooks.aroundInvoke = undefined;
    this.hooks.budgetMillis = undefined;
    this.laptop.s3.faults.clear();
    this.events.length = 0;
  }

  async close(): Promise<void> {
    await this.laptop.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface RestoreChoice {
  readonly snapshot?: string;
  readonly policy?: 'none' | 'replace' | 'rename';
  readonly dryRun?: boolean;
  readonly targetIsStopped?: boolean;
  readonly trustTimes?: boolean;
}

interface Parts {
  readonly directory: string;
  readonly hooks: Hooks;
  readonly events: WorkflowEvent[];
  readonly files: string[];
  readonly s3: string[];
}

/** `file://` URL of a place below the journey's directory. */
export function urlIn(directory: string, cluster: string): string {
  return pathToFileURL(clusterDirectory(directory, cluster)).href;
}

export function s3Url(cluster: string): string {
  return `s3://${DATA_BUCKET}/${cluster}`;
}

function clusterDirectory(directory: string, cluster: string): string {
  return join(directory, 'data', cluster);
}

function configOf(
  { directory, files, s3 }: Pick<Parts, 'directory' | 'files' | 's3'>,
  options: JourneyOptions,
): RankvaultConfigInput {
  const clusters: Record<string, ClusterInput> = { ...options.clusters?.(directory) };
  for (const name of files) {
    clusters[name] = { control: { kind: 'none' }, roots: [{ name: 'persist', url: urlIn(directory, name) }] };
  }
  for (const name of s3) {
    clusters[name] = { control: { kind: 'none' }, roots: [{ name: 'persist', url: s3Url(name) }] };
  }
  const backups = Object.entries(clusters)
    .filter(([, { scratch }]) => scratch !== true)
    .map(([cluster]) => [
      options.backupNames?.[cluster] ?? backupOf(cluster),
      { kind: 'system' as const, cluster, ...WITHOUT_TIMERS, ...options.backups?.[cluster] },
    ]);
  const vault = options.vault === undefined ? {} : { vault: options.vault };
  return { deployment: 'journey', ...vault, clusters, backups: Object.fromEntries(backups) };
}

/** Clocks are put forward by days: nothing shall start that no test has asked for. */
const NEVER = { expression: 'rate(365 days)', enabled: false };
export const WITHOUT_TIMERS: Pick<BackupInput, 'verify' | 'maintain'> = {
  verify: { present: NEVER, read: { ...NEVER, budget: { parts: 1 } } },
  maintain: { collect: NEVER },
};

function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}${index + 1}`);
}

function taken(free: string[], kind: string): string {
  const name = free.shift();
  if (name === undefined) {
    throw new Error(`The journey has no ${kind} cluster left; start it with more.`);
  }
  return name;
}
