import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import * as z from 'zod/mini';
import {
  ACTIONS,
  type BenchedAction,
  type Measurement,
  measureAction,
  measurementSchema,
} from './maintain/measured-run.ts';
import { prepareScene } from './maintain/scene.ts';

/**
 * Expires and collects ranks of so many parts: `node bench/maintain.ts [parts...]`. What it prints is requests for each deleted part
 * and peak memory, and whether these grow with the parts.
 *
 * Each row takes the same number of parts through a process of its own: a hundred times the smallest rank, once the largest. The rows
 * of an action differ in nothing but the size of a rank, so memory that grows with it shows, while what V8 takes as a process grows
 * older is in all of them.
 */
const PARTS = [10_000, 100_000, 1_000_000];
const TARGET_GROWTH = 1.2;
/** A listing and a deletion take 1,000 versions each; where half of what is listed stays, that is three for 1,000 deleted parts. */
const TARGET_REQUESTS_PER_PART = 0.005;

const jobSchema = z.object({
  action: z.enum(['prepare', ...ACTIONS]),
  parts: z.int(),
  times: z.int(),
  directory: z.string(),
});
type Job = z.infer<typeof jobSchema>;
type Measured = Measurement & { readonly action: BenchedAction; readonly parts: number };

if (process.argv[2] === '--child') {
  console.log(JSON.stringify(await work(jobSchema.parse(JSON.parse(process.argv[3] ?? '')))));
} else {
  const asked = process.argv.slice(2).map(Number);
  compare(asked.length > 0 ? asked : PARTS);
}

function work({ action, parts, times, directory }: Job): Promise<unknown> {
  return action === 'prepare' ? prepareScene(directory, parts) : measureAction({ action, parts, directory }, times);
}

function compare(sizes: readonly number[]): void {
  const [load = 0] = loadavg();
  console.log(`${availableParallelism()} processors; ${load.toFixed(1)} processes ran or waited before this began.`);
  console.log(
    [
      'Real: every job of Maintain, in the order of the machine, with its plans, joins, batches and records. Not real: S3. Listings of',
      'part bytes are made up while they are read, and deleting one is setting a bit; requests are counted as S3 would count them (1,000',
      'versions a page, 1,000 a DeleteObjects), those of Step Functions and retries are not. Times are of this machine without a network.',
    ].join('\n'),
  );
  const most = Math.max(...sizes);
  const rows = sizes.flatMap((parts) => ACTIONS.map((action) => measured(action, parts, Math.round(most / parts))));
  console.log(figures(rows));
  console.log(targets(rows));
}

function measured(action: BenchedAction, parts: number, times: number): Measured {
  const directory = mkdtempSync(join(tmpdir(), 'rankvault-bench-'));
  try {
    inChild({ action: 'prepare', parts, times, directory });
    return { action, parts, ...measurementSchema.parse(JSON.parse(inChild({ action, parts, times, directory }))) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function inChild(job: Job): string {
  return execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--child', JSON.stringify(job)], {
    encoding: 'utf8',
  });
}

function figures(rows: readonly Measured[]): string {
  const table = new Table({
    head: [
      '',
      'deleted',
      'stay',
      'list',
      'delete',
      'get',
      'put',
      'requests/deleted',
      's',
      'at start MB',
      'peak MB',
      'heap MB',
    ],
    colAligns: ['left', ...Array.from({ length: 11 }, () => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const { requests } = row;
    table.push([
      `${row.action}, ${grouped(row.parts)} parts`,
      grouped(row.deletedParts),
      grouped(row.keptParts),
      ...['list', 'delete', 'get', 'put'].map((kind) => grouped(requests[kind] ?? 0)),
      perPart(row).toFixed(5),
      row.seconds.toFixed(1),
      megabytes(row.residentAtStartBytes),
      megabytes(row.peakResidentBytes),
      megabytes(row.peakHeapBytes),
    ]);
  }
  return table.toString();
}

function targets(rows: readonly Measured[]): string {
  const table = new Table({ head: ['target', 'wanted', 'found', ''], style: { head: [], border: [] } });
  for (const action of ACTIONS) {
    const [least, most] = ends(rows, action);
    const growth = most.peakResidentBytes / least.peakResidentBytes;
    const range = `${grouped(least.parts)} to ${grouped(most.parts)} parts`;
    table.push(
      [
        `${action}: growth of peak memory, ${range}`,
        `at most ${TARGET_GROWTH}`,
        growth.toFixed(2),
        met(growth <= TARGET_GROWTH),
      ],
      [
        `${action}: requests for each deleted part, ${grouped(most.parts)} parts`,
        `at most ${TARGET_REQUESTS_PER_PART}`,
        perPart(most).toFixed(5),
        met(perPart(most) <= TARGET_REQUESTS_PER_PART),
      ],
    );
  }
  return table.toString();
}

function ends(rows: readonly Measured[], action: BenchedAction): readonly [Measured, Measured] {
  const own = rows.filter((row) => row.action === action).sort((left, right) => left.parts - right.parts);
  const [least, most] = [own[0], own.at(-1)];
  if (least === undefined || most === undefined) {
    throw new Error('There is no row to compare with: ask for one number of parts at least.');
  }
  return [least, most];
}

function perPart({ requests, deletedParts }: Measured): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0) / deletedParts;
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
