import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { enumerationSchema } from '../../core/draft.ts';
import { streamOf } from '../../core/draft-writer.ts';
import { FORMAT_VERSION } from '../../core/format.ts';
import { enumerateRank } from '../../core/jobs/enumerate-rank.ts';
import { manifestBytes, ranksBytes } from '../../core/manifest-io.ts';
import { NO_TOTALS } from '../../core/records.ts';
import { readJson } from '../../core/stored-json.ts';
import { manifestKey, ranksKey } from '../../core/vault-layout.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { BenchStore } from './bench-store.ts';
import { type RootKind, SyntheticRank } from './synthetic-rank.ts';

const BACKUP = 'bench';
const BASE = 'snapshot.2026-01-30.22-00-00';
const SNAPSHOT = 'snapshot.2026-01-31.22-00-00';
const RANK = 1;
const MANIFEST = manifestKey(BACKUP, BASE, RANK);

export interface Scene {
  /** Holds the base; what the run writes goes there too. */
  readonly directory: string;
  readonly parts: number;
  readonly kind: RootKind;
}

export const measurementSchema = z.object({
  seconds: z.number(),
  /** Of all threads: what a shared machine distorts least. */
  cpuSeconds: z.number(),
  peakResidentBytes: z.number(),
  peakHeapBytes: z.number(),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** Writes the base snapshot's manifest and list of ranks. */
export async function prepareBase({ directory, parts, kind }: Scene): Promise<void> {
  const vault = new BenchStore(directory);
  const header = { formatVersion: FORMAT_VERSION, backup: BACKUP, snapshot: BASE } as const;
  const lines = new SyntheticRank(parts, kind).baseLines(BASE);
  const { sha256, sizeBytes } = await vault.createStream(
    MANIFEST,
    manifestBytes({ ...header, rank: `rank-${RANK}` }, lines),
  );
  const ranks = streamOf([{ rank: RANK, sha256, sizeBytes, totals: NO_TOTALS, in: [] }]);
  await vault.createStream(ranksKey(BACKUP, BASE), ranksBytes(header, ranks));
}

/** One enumeration. @throws Error when it counted something else than is there */
export async function measureEnumeration({ directory, parts, kind }: Scene): Promise<Measurement> {
  const source = new SyntheticRank(parts, kind);
  const work = new BenchStore(join(directory, 'work'));
  const keys = new RunKeys('Snapshot', 'bench');
  const heap = new HeapWatch();
  const deps = { work, vault: new BenchStore(directory), keys, source, clock: { nowEpochMillis: () => 0 } };
  const run = { backup: BACKUP, snapshot: SNAPSHOT, warmPass: false };
  const request = { pass: 'final', rank: RANK, progress: { done: false }, invocation: 'bench' } as const;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await enumerateRank(deps, {
    ...request,
    plan: { run, base: BASE, baseRanks: [RANK] },
    shouldStop: () => heap.look(),
  });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const measured = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    peakHeapBytes: heap.peakBytes,
  };
  const enumeration = await readJson(work, keys.enumeration('final', RANK), enumerationSchema);
  assertCounted(enumeration?.value.totals, source.expected());
  return measured;
}

function assertCounted(
  counted: Readonly<Record<string, number>> | undefined,
  expected: Readonly<Record<string, number>>,
): void {
  for (const [name, count] of Object.entries(expected)) {
    if (counted?.[name] !== count) {
      throw new Error(
        `The enumeration counted ${counted?.[name]} ${name}, but there are ${count}: do not trust the figures.`,
      );
    }
  }
}

/** Looks at the heap now and then; asked at every part, it never says stop. */
class HeapWatch {
  peakBytes = 0;
  #asked = 0;

  look(): boolean {
    this.#asked += 1;
    if (this.#asked % 2_000 === 0) {
      this.peakBytes = Math.max(this.peakBytes, process.memoryUsage().heapUsed);
    }
    return false;
  }
}

export function removeWork(directory: string): void {
  rmSync(join(directory, 'work'), { recursive: true, force: true });
}
