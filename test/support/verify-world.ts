import { createHash } from 'node:crypto';
import { configSchema, type RankvaultConfig } from '../../core/config/schema.ts';
import { streamOf } from '../../core/draft-writer.ts';
import { jsonBytes } from '../../core/format.ts';
import { type RankName, rankDirectory } from '../../core/ids.ts';
import { type Concluded, concludeRequestSchema, concludeVerification } from '../../core/jobs/conclude-verification.ts';
import { planReads } from '../../core/jobs/plan-reads.ts';
import { planVerification } from '../../core/jobs/plan-verification.ts';
import { readParts, readProgressSchema } from '../../core/jobs/read-parts.ts';
import { type VerifyRankProgress, verifyRank, verifyRankProgressSchema } from '../../core/jobs/verify-rank.ts';
import { readGzipJsonLines } from '../../core/jsonl.ts';
import { readPlainLines } from '../../core/maintain/plain-lines.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../../core/manifest.ts';
import { manifestBytes, ranksBytes, readManifest, readRanks } from '../../core/manifest-io.ts';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import { type SnapshotRecord, tombstoneSchema } from '../../core/records.ts';
import type { VerifyRun } from '../../core/run.ts';
import { readJson } from '../../core/stored-json.ts';
import { isoOfEpochMillis } from '../../core/utc.ts';
import {
  findingsKey,
  manifestKey,
  partKey,
  ranksKey,
  recordKey,
  slicesKey,
  tombstoneKey,
  verificationKey,
} from '../../core/vault-layout.ts';
import { type Finding, findingSchema, type Verification, verificationSchema } from '../../core/verification.ts';
import { type Slice, sliceSchema } from '../../core/verify/read-slices.ts';
import { openVerification, readItemSchema, type UnitItem, unitItemSchema } from '../../core/verify/verify-plan.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { bytesOf, collect } from './byte-streams.ts';
import { InMemoryPartReader } from './in-memory-part-reader.ts';
import { InMemoryTree } from './in-memory-tree.ts';
import { never, throughJson } from './job-world.ts';
import { MaintainWorld } from './maintain-world.ts';
import { sampleConfig } from './sample-config.ts';
import { storeBytes } from './store-bytes.ts';

export interface VerifyOrder {
  readonly execution: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly shouldStop?: () => boolean;
  /** How often each invocation happens: one after the other, or at the same time. @default 'once' */
  readonly invoked?: 'once' | 'twice' | 'beside its ghost';
}

/** What a verification left in the vault. */
export interface Verified {
  readonly answer: Concluded;
  readonly record: Verification;
  readonly findings: readonly Finding[];
  readonly slices: readonly Slice[];
}

/** `prod` is what is verified, `scratch` may be overwritten by drills. */
export function verifyConfig(): RankvaultConfig {
  const { clusters, backups } = sampleConfig();
  const scratch = { control: { kind: 'none' }, roots: [{ name: 'main', url: 's3://clusters/scratch' }], scratch: true };
  return configSchema.parse({ clusters: { ...clusters, scratch }, backups });
}

/** The jobs of the Verify machine in the machine's order, beside those of Snapshot and Maintain; all in memory. */
export class VerifyWorld extends MaintainWorld {
  readonly reader = new InMemoryPartReader(this.vault);

  constructor(options: { readonly tree?: InMemoryTree; readonly config?: RankvaultConfig } = {}) {
    super({ config: verifyConfig(), ...options });
  }

  get verifying() {
    const { vault, work, executions, clock, config, reader } = this;
    return { vault, versions: vault, work, executions, clock, config, reader, concurrency: 4 };
  }

  write(path: string, content: string): void {
    this.tree.write('main', path, Buffer.from(content));
  }

  /** A part as the snapshot's manifest names it. */
  async line(record: SnapshotRecord, rank: RankName, path: string): Promise<PartLine> {
    const { backup, snapshot } = record;
    for await (const line of readManifest(this.vault, { backup, snapshot, rank })) {
      if (line.path === path && !isDirectoryLine(line)) {
        return line;
      }
    }
    throw new Error(`${snapshot} has no part ${path} in rank ${rank}.`);
  }

  /** The version that holds the part's bytes. */
  async version(record: SnapshotRecord, rank: RankName, path: string): Promise<VersionName> {
    const line = await this.line(record, rank, path);
    return { key: line.key ?? partKey(record.backup, line.in, rank, path), versionId: line.versionId };
  }

  /** Other bytes in place of a catalog object, as rot or a person does it. */
  breakObject(key: string, body: Uint8Array = Buffer.from('other')): void {
    this.vault.damage(this.vault.currentVersion(key), { body });
  }

  /** A manifest that was wrong when it was committed: the digests up to the record fit it. */
  async forge(
    record: SnapshotRecord,
    rank: RankName,
    change: (lines: ManifestLine[]) => ManifestLine[],
  ): Promise<void> {
    const { backup, snapshot } = record;
    const lines = change(await collect(readManifest(this.vault, { backup, snapshot, rank })));
    const header = { formatVersion: 1, backup, snapshot };
    const manifest = await bytesOf(manifestBytes({ ...header, rank: rankDirectory(rank) }, streamOf(lines)));
    this.breakObject(manifestKey(backup, snapshot, rank), manifest);
    const ranks = await collect(readRanks(this.vault, backup, snapshot));
    const forged = ranks.map((line) => (line.rank === rank ? { ...line, sha256: sha256Of(manifest) } : line));
    const list = await bytesOf(ranksBytes({ ...header, formatVersion: 1 }, streamOf(forged)));
    this.breakObject(ranksKey(backup, snapshot), list);
    await this.reword(record, { ranksSha256: sha256Of(list) });
  }

  /** A record with other facts. */
  async reword(record: SnapshotRecord, change: Partial<SnapshotRecord>): Promise<void> {
    const key = recordKey(record.backup, record.snapshot);
    const present = JSON.parse(Buffer.from(await storeBytes(this.vault, key)).toString());
    this.breakObject(key, jsonBytes({ ...present, ...change }));
  }

  /** Hides the snapshot, and lets its bytes go at once. */
  async purge(record: SnapshotRecord): Promise<void> {
    await this.maintain({ action: 'purge', snapshot: record.snapshot, immediately: true });
  }

  /** Hides the snapshot in the middle of something else. */
  async tombstone(record: SnapshotRecord): Promise<void> {
    const { backup, snapshot, id, type, takenAt, totals } = record;
    const at = isoOfEpochMillis(this.clock.nowEpochMillis());
    const by = { execution: 'purge', executionArn: 'arn:purge' };
    const tombstone = { formatVersion: 1, backup, snapshot, action: 'purge', reason: 'A test.', at, ...by };
    const facts = { id, type, takenAt, totals };
    await this.vault.create(
      tombstoneKey(backup, snapshot),
      jsonBytes(tombstoneSchema.parse({ ...tombstone, bytesKeptUntil: at, record: facts })),
    );
  }

  /** A minute passes, so that no two verifications share a moment. */
  planVerification(order: VerifyOrder) {
    this.clock.advanceMinutes(1);
    const start = this.start(order.execution, { backup: 'prod', ...order.input });
    return invoke(order, () => planVerification(this.verifying, start));
  }

  async planned(order: VerifyOrder): Promise<VerifyRun> {
    const answer = await this.planVerification(order);
    if (answer.outcome !== 'planned') {
      throw new Error(`The verification was not planned: ${answer.outcome}.`);
    }
    return answer.run;
  }

  async unitItems(run: VerifyRun): Promise<readonly UnitItem[]> {
    return collect(readPlainLines(this.work, run.unitsKey, unitItemSchema));
  }

  /** Until it is done, through JSON like the machine's state. @returns how many invocations it took */
  async look(run: VerifyRun, item: UnitItem, order: Partial<VerifyOrder> = {}): Promise<number> {
    const deps = { ...this.verifying, keys: new RunKeys('Verify', run.execution) };
    const { shouldStop = never } = order;
    const plan = await openVerification(this.work, run);
    let progress: VerifyRankProgress = { done: false };
    let invocations = 0;
    while (!progress.done) {
      const before = progress;
      const answer = await invoke(order, () =>
        verifyRank(deps, { plan, item, progress: before, invocation: this.invocation(), shouldStop }),
      );
      progress = verifyRankProgressSchema.parse(throughJson(answer));
      invocations += 1;
    }
    return invocations;
  }

  async lookAtAll(run: VerifyRun, order: Partial<VerifyOrder> = {}): Promise<void> {
    for (const item of await this.unitItems(run)) {
      await this.look(run, item, order);
    }
  }

  async readAll(run: VerifyRun, order: Partial<VerifyOrder> = {}): Promise<void> {
    const deps = { ...this.verifying, keys: new RunKeys('Verify', run.execution) };
    const { shouldStop = never } = order;
    const plan = await openVerification(this.work, run);
    const { batches } = await invoke(order, () => planReads(deps, plan));
    const items = batches === 0 ? [] : await collect(readPlainLines(this.work, run.batchesKey, readItemSchema));
    for (const item of items) {
      let progress = { done: false };
      while (!progress.done) {
        const before = progress;
        const answer = await invoke(order, () => readParts(deps, { plan, item, progress: before, shouldStop }));
        progress = readProgressSchema.parse(throughJson(answer));
      }
    }
  }

  conclude(run: VerifyRun, drill: Readonly<Record<string, unknown>> = {}, order: Partial<VerifyOrder> = {}) {
    return invoke(order, () =>
      concludeVerification(this.verifying, concludeRequestSchema.parse(throughJson({ run, ...drill }))),
    );
  }

  /** All jobs in the machine's order. */
  async verify(order: VerifyOrder): Promise<Verified> {
    const run = await this.planned(order);
    await this.lookAtAll(run, order);
    await this.readAll(run, order);
    return this.verified(run, await this.conclude(run, {}, order));
  }

  /** What the run has left. */
  async verified(run: VerifyRun, answer: Concluded): Promise<Verified> {
    const { id } = answer.verification;
    const record = await readJson(this.vault, verificationKey(run.backup, id), verificationSchema);
    if (record === undefined) {
      throw new Error('The verification left no record.');
    }
    return {
      answer,
      record: record.value,
      findings: (await this.#linesAt(findingsKey(run.backup, id))).map((line) => findingSchema.parse(line)),
      slices: (await this.#linesAt(slicesKey(run.backup, id))).map((line) => sliceSchema.parse(line)),
    };
  }

  /** Lines after the header. */
  async #linesAt(key: string): Promise<readonly unknown[]> {
    const object = await this.vault.get(key);
    return object === undefined ? [] : (await collect(readGzipJsonLines(object.body, key))).slice(1);
  }
}

async function invoke<T>({ invoked }: Partial<VerifyOrder>, act: () => Promise<T>): Promise<T> {
  switch (invoked) {
    case 'beside its ghost':
      return (await Promise.all([act(), act()]))[0];
    case 'twice':
      await act();
      return act();
    default:
      return act();
  }
}

/** One root, two ranks of two parts each; `seg` parts of rank 1 by number. */
export function smallTree(segments = 2): InMemoryTree {
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
  tree.write('main', 'rank-0/meta.mdb', Buffer.from('first meta'));
  for (let number = 0; number < segments; number += 1) {
    tree.write('main', `rank-1/tom-0/${number}.seg`, Buffer.from(`first ${number}`));
  }
  return tree;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
