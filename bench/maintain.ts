import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import * as z from 'zod/mini';
import { ACTIONS, type BenchedAction, type Measurement, measureAction, measurementSchema } from './maintain/measured-run.ts';

/**
 * Expires and collects ranks of so many parts, each in a process of its own: `node bench/maintain.ts [parts...]`. What it prints is
 * requests for each deleted part and peak memory, and whether these grow with the parts.
 */
const PARTS = [10_000, 100_000, 1_000_000];
/** Of peak memory, from the fewest parts to the most. V8 alone takes this much more when it has been busy for longer. */
const TARGET_GROWTH = 1.5;
/** A listing and a deletion take 1,000 versions each; where half of what is listed stays, that is three for 1,000 deleted parts. */
const TARGET_REQUESTS_PER_PART = 0.005;

const jobSchema = z.object({ action: z.enum(ACTIONS), parts: z.int() });
type Job = z.infer<typeof jobSchema>;
type Measured = Job & Measurement;

if (process.argv[2] === '--child') {
  console.log(JSON.stringify(await measureJob(jobSchema.parse(JSON.parse(process.argv[3] ?? '')))));
} else {
  const asked = process.argv.slice(2).map(Number);
  compare(asked.length > 0 ? asked : PARTS);
}

async function measureJob({ action, parts }: Job): Promise<Measurement> {
  const directory = mkdtempSync(join(tmpdir(), 'rankvault-bench-'));
  try {
    return await measureAction(action, parts, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
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
  const rows = sizes.flatMap((parts) => ACTIONS.map((action) => inChild({ action, parts })));
  console.log(figures(rows));
  console.log(targets(rows));
}

function inChild(job: Job): Measured {
  const answer = execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--child', JSON.stringify(job)]);
  return { ...job, ...measurementSchema.parse(JSON.parse(answer.toString('utf8'))) };
}

function figures(rows: readonly Measured[]): string {
  const table = new Table({
    head: ['', 'deleted', 'stay', 'list', 'delete', 'get', 'put', 'requests/deleted', 's', 'at start MB', 'peak MB'],
    colAligns: ['left', ...Array.from({ length: 10 }, () => 'right' as const)],
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
      [`${action}: growth of peak memory, ${range}`, `at most ${TARGET_GROWTH}`, growth.toFixed(2), met(growth <= TARGET_GROWTH)],
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
