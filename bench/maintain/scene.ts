import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { parseConfig } from '../../core/config/validate.ts';
import { streamOf } from '../../core/draft-writer.ts';
import { FORMAT_VERSION } from '../../core/format.ts';
import type { PartLine } from '../../core/manifest.ts';
import { manifestBytes, ranksBytes } from '../../core/manifest-io.ts';
import type { RankLine, SnapshotRecord, Totals } from '../../core/records.ts';
import { attemptKey, manifestKey, pinKey, ranksKey, recordKey } from '../../core/vault-layout.ts';
import { FixedClock } from '../../test/support/fixed-clock.ts';
import { InMemoryExecutions } from '../../test/support/in-memory-executions.ts';
import { DiskStore } from './disk-store.ts';
import { etagOf, GeneratedVault, generatedPath, PART_BYTES, versionIdOf } from './generated-vault.ts';

export const BACKUP = 'bench';
/** An old full of all parts; what was built on it and changed every second one, and is pinned; what a failed run left; two new fulls. */
const OLD = 'snapshot.2025-11-01.02-00-00';
const PINNED = 'snapshot.2025-11-02.02-00-00';
const FAILED = 'snapshot.2025-11-03.02-00-00';
const BEFORE = 'snapshot.2026-01-20.02-00-00';
const NEW = 'snapshot.2026-01-31.02-00-00';

export interface Scene {
  readonly vault: GeneratedVault;
  readonly work: DiskStore;
  readonly clock: FixedClock;
  readonly executions: InMemoryExecutions;
  readonly config: ReturnType<typeof parseConfig>;
}

/** Where the preparing process leaves what it has written beside streams: key and text, no text for a stream. */
const catalogSchema = z.array(z.object({ key: z.string(), text: z.optional(z.string()) }));
type Catalog = z.infer<typeof catalogSchema>;

/**
 * Writes the catalog of a rank of so many parts, in a process of its own, so that its memory is not counted: what `expire` finds, and
 * beside it what only `collect` frees.
 */
export async function prepareScene(directory: string, parts: number): Promise<void> {
  mkdirSync(join(directory, 'vault'));
  mkdirSync(join(directory, 'work'));
  const vault = new DiskStore(join(directory, 'vault'));
  const catalog: Catalog = [
    ...(await commit(vault, { snapshot: OLD, parts, inOf: () => OLD })),
    ...(await commit(vault, {
      snapshot: PINNED,
      base: OLD,
      parts,
      inOf: (number) => (number % 2 === 0 ? PINNED : OLD),
    })),
    ...(await commit(vault, { snapshot: BEFORE, parts: 0, inOf: () => BEFORE })),
    ...(await commit(vault, { snapshot: NEW, parts: 0, inOf: () => NEW })),
    ...marks(),
  ];
  writeFileSync(join(directory, 'catalog.json'), JSON.stringify(catalog));
}

export async function openScene(directory: string, parts: number): Promise<Scene> {
  const clock = new FixedClock();
  const vault = new GeneratedVault(join(directory, 'vault'), { versioned: true, clock });
  for (const { key, text } of catalogSchema.parse(JSON.parse(readFileSync(join(directory, 'catalog.json'), 'utf8')))) {
    await (text === undefined ? vault.adopt(key) : vault.create(key, Buffer.from(text)));
  }
  vault.add({ prefix: `${BACKUP}/${OLD}/`, parts, every: 1 });
  vault.add({ prefix: `${BACKUP}/${PINNED}/`, parts, every: 2 });
  vault.add({ prefix: `${BACKUP}/${FAILED}/`, parts, every: 1 });
  return {
    vault,
    work: new DiskStore(join(directory, 'work')),
    clock,
    executions: new InMemoryExecutions(),
    config: parseConfig({
      clusters: { bench: { control: { kind: 'none' }, roots: [{ name: 'main', url: 's3://bench/persist' }] } },
      backups: {
        bench: { kind: 'system', cluster: 'bench', retention: { keepFulls: 1, keepDays: 1, undeleteDays: 0 } },
      },
    }),
  };
}

interface Commit {
  readonly snapshot: string;
  readonly base?: string;
  readonly parts: number;
  readonly inOf: (number: number) => string;
}

async function commit(vault: DiskStore, { snapshot, base, parts, inOf }: Commit): Promise<Catalog> {
  const header = { formatVersion: FORMAT_VERSION, backup: BACKUP, snapshot } as const;
  const lines = linesOf(parts, inOf);
  const manifest = manifestKey(BACKUP, snapshot, 1);
  const { sha256, sizeBytes } = await vault.createStream(manifest, manifestBytes({ ...header, rank: 'rank-1' }, lines));
  const own = base === undefined ? parts : Math.ceil(parts / 2);
  const rank: RankLine = {
    rank: 1,
    sha256,
    sizeBytes,
    totals: totalsOf(parts, own),
    in: [
      ...(base === undefined ? [] : [{ snapshot: base, ...amountOf(parts - own) }]),
      { snapshot, ...amountOf(own) },
    ].filter((each) => each.parts > 0),
  };
  const ranks = ranksKey(BACKUP, snapshot);
  const { sha256: ranksSha256 } = await vault.createStream(ranks, ranksBytes(header, streamOf([rank])));
  const record = { ...recordOf({ snapshot, base, totals: rank.totals }), ranksSha256 };
  return [{ key: manifest }, { key: ranks }, { key: recordKey(BACKUP, snapshot), text: JSON.stringify(record) }];
}

async function* linesOf(parts: number, inOf: (number: number) => string): AsyncGenerator<PartLine> {
  for (let number = 0; number < parts; number += 1) {
    yield {
      path: generatedPath(number),
      root: 'main',
      sizeBytes: PART_BYTES,
      token: `s3:${etagOf(number).slice(1, -1)}`,
      checksum: 'CRC64NVME:AAAAAAAAAAA=',
      in: inOf(number),
      etag: etagOf(number),
      versionId: versionIdOf(number),
    };
  }
}

const amountOf = (parts: number) => ({ parts, bytes: parts * PART_BYTES });

function totalsOf(parts: number, stored: number): Totals {
  return {
    parts,
    bytes: parts * PART_BYTES,
    storedParts: stored,
    storedBytes: stored * PART_BYTES,
    directories: 0,
  };
}

function recordOf(of: {
  readonly snapshot: string;
  readonly base: string | undefined;
  readonly totals: Totals;
}): SnapshotRecord {
  const { snapshot, base, totals } = of;
  const takenAt = isoOf(snapshot);
  return {
    formatVersion: 1,
    backup: BACKUP,
    cluster: 'bench',
    snapshot,
    id: String(Date.parse(takenAt)),
    type: base === undefined ? 'full' : 'incremental',
    requestedType: base === undefined ? 'full' : 'incremental',
    reason: 'For the benchmark.',
    ...(base === undefined ? {} : { base }),
    full: base ?? snapshot,
    chain: base === undefined ? [snapshot] : [base, snapshot],
    takenAt,
    startedAt: takenAt,
    committedAt: takenAt,
    execution: snapshot,
    executionArn: `arn:${snapshot}`,
    source: { kind: 'files', quiesced: false },
    definition: { number: 1, digest: 'none' },
    topology: { from: 'roots', ranks: [{ rank: 1 }] },
    totals,
    ranksSha256: '',
  };
}

/** The pin, and the claim of the run that failed. */
function marks(): Catalog {
  const at = isoOf(FAILED);
  const common = { formatVersion: FORMAT_VERSION, backup: BACKUP };
  const pin = { ...common, snapshot: PINNED, reason: 'For the benchmark.', at, execution: 'pin' };
  const attempt = {
    ...common,
    snapshot: FAILED,
    id: String(Date.parse(at)),
    execution: 'failed',
    executionArn: 'arn:failed',
    nonce: 'failed',
    type: 'full',
    claimedAt: at,
  };
  return [
    { key: pinKey(BACKUP, PINNED), text: JSON.stringify(pin) },
    { key: attemptKey(BACKUP, FAILED), text: JSON.stringify(attempt) },
  ];
}

/** `snapshot.2026-01-31.23-59-59`, UTC. */
function isoOf(directory: string): string {
  const [, date = '', time = ''] = /^snapshot\.(\S{10})\.(\S{8})$/.exec(directory) ?? [];
  return `${date}T${time.replaceAll('-', ':')}.000Z`;
}
