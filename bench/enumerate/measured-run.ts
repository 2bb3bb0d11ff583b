import * as z from 'zod/mini';
import { type EnumerationTotals, enumerationSchema } from '../../core/draft.ts';
import { streamOf } from '../../core/draft-writer.ts';
import { FORMAT_VERSION } from '../../core/format.ts';
import { enumerateRank } from '../../core/jobs/enumerate-rank.ts';
import { manifestBytes, ranksBytes } from '../../core/manifest-io.ts';
import { NO_TOTALS } from '../../core/records.ts';
import { readJson } from '../../core/stored-json.ts';
import { manifestKey, ranksKey } from '../../core/vault-layout.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { runBareCodecs } from './bare-codecs.ts';
import { BenchStore } from './bench-store.ts';
import { type ExpectedCounts, type RootKind, SyntheticRank } from './synthetic-rank.ts';

const BACKUP = 'bench';
const BASE = 'snapshot.2026-01-30.22-00-00';
const SNAPSHOT = 'snapshot.2026-01-31.22-00-00';
const RANK = 1;
const MANIFEST = manifestKey(BACKUP, BASE, RANK);

export interface Scene {
  /** Holds the base. */
  readonly directory: string;
  readonly parts: number;
  readonly kind: RootKind;
}

export const measurementSchema = z.object({
  seconds: z.number(),
  /** Of all threads, and of the one that runs the engine's own code: what a shared machine distorts least. */
  cpuSeconds: z.number(),
  mainThreadSeconds: z.number(),
  /** Node and modules alone, before the first part. */
  residentAtStartBytes: z.number(),
  peakResidentBytes: z.number(),
  peakHeapBytes: z.number(),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** Writes the base snapshot's manifest and list of ranks. */
export async function prepareBase({ directory, parts, kind }: Scene): Promise<void> {
  const vault = new BenchStore(directory);
  const header = { formatVersion: FORMAT_VERSION, backup: BACKUP, snapshot: BASE } as const;
  const lines = new SyntheticRank(parts, kind).baseLines(BASE);
  const bytes = manifestBytes({ ...header, rank: `rank-${RANK}` }, lines);
  const { sha256, sizeBytes } = await vault.createStream(MANIFEST, bytes);
  const ranks = streamOf([{ rank: RANK, sha256, sizeBytes, totals: NO_TOTALS, in: [] }]);
  await vault.createStream(ranksKey(BACKUP, BASE), ranksBytes(header, ranks));
}

/** Enumerates the rank so many times, in runs of their own. @throws Error when one counted something else than is there */
export async function measureEnumerations(scene: Scene, times: number): Promise<Measurement> {
  const source = new SyntheticRank(scene.parts, scene.kind);
  const expected = source.expected();
  const heap = new HeapWatch();
  const measured = await measure(heap, async () => {
    for (let run = 1; run <= times; run += 1) {
      const counted = await enumerate(scene, source, { execution: `run-${run}`, shouldStop: () => heap.look() });
      assertCounted(counted, expected);
    }
  });
  return measured;
}

export function measureBareCodecs({ directory }: Scene): Promise<Measurement> {
  return measure(new HeapWatch(), () => runBareCodecs(new BenchStore(directory).pathOf(MANIFEST)));
}

async function measure(heap: HeapWatch, act: () => Promise<void>): Promise<Measurement> {
  const residentAtStartBytes = process.memoryUsage.rss();
  const [cpu, thread, start] = [process.cpuUsage(), process.threadCpuUsage(), performance.now()];
  await act();
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    cpuSeconds: secondsOf(process.cpuUsage(cpu)),
    mainThreadSeconds: secondsOf(process.threadCpuUsage(thread)),
    residentAtStartBytes,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    peakHeapBytes: heap.peakBytes,
  };
}

function secondsOf({ user, system }: { readonly user: number; readonly system: number }): number {
  return (user + system) / 1e6;
}

async function enumerate(
  { directory }: Scene,
  source: SyntheticRank,
  run: { readonly execution: string; readonly shouldStop: () => boolean },
): Promise<EnumerationTotals | undefined> {
  const work = new BenchStore(directory);
  const keys = new RunKeys('Snapshot', run.execution);
  const deps = { work, vault: new BenchStore(directory), keys, source, clock: { nowEpochMillis: () => 0 } };
  await enumerateRank(deps, {
    plan: { run: { backup: BACKUP, snapshot: SNAPSHOT, warmPass: false }, base: BASE, baseRanks: [RANK] },
    pass: 'final',
    rank: RANK,
    progress: { done: false },
    invocation: 'bench',
    shouldStop: run.shouldStop,
  });
  return (await readJson(work, keys.enumeration('final', RANK), enumerationSchema))?.value.totals;
}

function assertCounted(counted: EnumerationTotals | undefined, expected: ExpectedCounts): void {
  const { parts, copyParts, removedParts } = counted ?? {};
  if (parts !== expected.parts || copyParts !== expected.copyParts || removedParts !== expected.removedParts) {
    const [said, is] = [JSON.stringify(counted), JSON.stringify(expected)];
    throw new Error(`The enumeration counted ${said}, but there are ${is}: the figures mean nothing.`);
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
