import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import * as z from 'zod/mini';
import {
  type Measurement,
  measureBareCodecs,
  measureEnumerations,
  measurementSchema,
  prepareBase,
  type Scene,
} from './enumerate/measured-run.ts';

/**
 * Lists ranks, joins each with its base manifest and writes its draft: `node bench/enumerate.ts [parts] [tries]`.
 *
 * Each row takes the same number of parts through a process of its own: in a hundred ranks, in ten, in one. The rows differ in
 * nothing but the size of a rank, so memory that grows with it shows, while what V8 takes as a process grows older is in all of
 * them. Of several tries the quickest counts, because others use the machine too; of memory, the greatest.
 */
const TARGET_PARTS_PER_SECOND = 150_000;
const TARGET_PEAK_MEGABYTES = 300;
const TARGET_GROWTH = 1.2;

const jobSchema = z.object({
  what: z.enum(['enumerate', 'codecs']),
  kind: z.enum(['s3', 'file']),
  directory: z.string(),
  parts: z.int(),
  ranks: z.int(),
});
type Job = z.infer<typeof jobSchema>;

if (process.argv[2] === '--child') {
  console.log(JSON.stringify(await measureJob(jobSchema.parse(JSON.parse(process.argv[3] ?? '')))));
} else {
  await compare(Number(process.argv[2] ?? '1000000'), Number(process.argv[3] ?? '3'));
}

function measureJob(job: Job): Promise<Measurement> {
  return job.what === 'codecs' ? measureBareCodecs(job) : measureEnumerations(job, job.ranks);
}

async function compare(parts: number, tries: number): Promise<void> {
  const [load = 0] = loadavg();
  console.log(`${availableParallelism()} processors; ${load.toFixed(1)} processes ran or waited before this began.`);
  const directory = mkdtempSync(join(tmpdir(), 'rankvault-bench-'));
  try {
    const scene = async (kind: Scene['kind'], ranks: number) =>
      prepared({ directory, kind, parts: parts / ranks }, ranks);
    const [hundred, ten, one] = [await scene('s3', 100), await scene('s3', 10), await scene('s3', 1)];
    const rows = [{ ...one, what: 'codecs' as const }, hundred, ten, one, await scene('file', 1)];
    const measured = rows.map((job) => ({ job, ...best(Array.from({ length: tries }, () => inChild(job))) }));
    console.log(figures(measured));
    console.log(targets(measured));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function prepared(scene: Scene, ranks: number): Promise<Job> {
  const directory = join(scene.directory, `${scene.kind}-${scene.parts}`);
  mkdirSync(directory);
  await prepareBase({ ...scene, directory });
  return { what: 'enumerate', ...scene, directory, ranks };
}

function inChild(job: Job): Measurement {
  const answer = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--child', JSON.stringify(job)]);
  return measurementSchema.parse(JSON.parse(answer.toString('utf8')));
}

function best(tries: readonly Measurement[]): Measurement {
  const least = (figure: (measured: Measurement) => number) => Math.min(...tries.map(figure));
  const greatest = (figure: (measured: Measurement) => number) => Math.max(...tries.map(figure));
  return {
    seconds: least(({ seconds }) => seconds),
    cpuSeconds: least(({ cpuSeconds }) => cpuSeconds),
    mainThreadSeconds: least(({ mainThreadSeconds }) => mainThreadSeconds),
    residentAtStartBytes: greatest(({ residentAtStartBytes }) => residentAtStartBytes),
    peakResidentBytes: greatest(({ peakResidentBytes }) => peakResidentBytes),
    peakHeapBytes: greatest(({ peakHeapBytes }) => peakHeapBytes),
  };
}

type Measured = Measurement & { readonly job: Job };

function figures(rows: readonly Measured[]): string {
  const bare = rows.find(({ job }) => job.what === 'codecs');
  const table = new Table({
    head: ['', 'parts/s', 'bare codecs = 1', 'CPU µs/part', 'own thread µs/part', 'at start MB', 'peak MB', 'heap MB'],
    colAligns: ['left', ...Array.from({ length: 7 }, () => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const { job, seconds, cpuSeconds, mainThreadSeconds } = row;
    const parts = job.parts * job.ranks;
    table.push([
      job.what === 'codecs'
        ? 'gunzip, parse, stringify, gzip alone'
        : `${job.kind} root, ${job.ranks} x ${grouped(job.parts)} parts`,
      grouped(parts / seconds),
      (seconds / (bare?.seconds ?? Number.NaN)).toFixed(2),
      ((cpuSeconds / parts) * 1e6).toFixed(1),
      ((mainThreadSeconds / parts) * 1e6).toFixed(1),
      megabytes(row.residentAtStartBytes),
      megabytes(row.peakResidentBytes),
      job.what === 'codecs' ? '' : megabytes(row.peakHeapBytes),
    ]);
  }
  return table.toString();
}

function targets(rows: readonly Measured[]): string {
  const [small, , large] = rows.filter(({ job }) => job.what === 'enumerate' && job.kind === 's3');
  if (small === undefined || large === undefined) {
    throw new Error('There is no row to compare with: keep the rows of S3 roots.');
  }
  const speed = (large.job.parts * large.job.ranks) / large.seconds;
  const peakMegabytes = large.peakResidentBytes / 1024 ** 2;
  const growth = large.peakResidentBytes / small.peakResidentBytes;
  const ranks = `${grouped(small.job.parts)} to ${grouped(large.job.parts)} parts in a rank`;
  const table = new Table({ head: ['target', 'wanted', 'found', ''], style: { head: [], border: [] } });
  table.push(
    [
      'parts/s, all in one rank',
      `at least ${grouped(TARGET_PARTS_PER_SECOND)}`,
      grouped(speed),
      met(speed >= TARGET_PARTS_PER_SECOND),
    ],
    [
      'peak memory',
      `at most ${TARGET_PEAK_MEGABYTES} MB`,
      `${peakMegabytes.toFixed(0)} MB`,
      met(peakMegabytes <= TARGET_PEAK_MEGABYTES),
    ],
    [`growth, ${ranks}`, `at most ${TARGET_GROWTH}`, growth.toFixed(2), met(growth <= TARGET_GROWTH)],
  );
  return table.toString();
}

function met(isMet: boolean): string {
  return isMet ? 'met' : 'missed';
}

function grouped(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}
