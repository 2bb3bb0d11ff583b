import type { SizeSpread } from './random.ts';
import { SampleInvalid } from './sample-file.ts';

/** The shape of a sample cluster like a column store's. Rank 0 is the head and holds metadata only; workers are ranks 1 to `workers`. */
export interface SegmentClusterOptions {
  readonly seed: string;
  /** @default 3 */
  readonly workers?: number;
  /** @default 2 */
  readonly tomsPerRank?: number;
  /** Every TOM holds a shard of every table. @default 3 */
  readonly tables?: number;
  /** Segments of one table in one TOM at the start; 0 is allowed. @default 6 */
  readonly segmentsPerTable?: number;
  /** @default { medianBytes: 32,768, sigma: 1.8, minBytes: 8, maxBytes: 4 MiB } */
  readonly segmentBytes?: Partial<SizeSpread>;
  /** Adds `ODD_FILES` and an empty directory. @default false */
  readonly includeOddNames?: boolean;
}

export interface SegmentLayout {
  readonly seed: string;
  readonly workers: number;
  readonly tomsPerRank: number;
  readonly tables: number;
  readonly segmentsPerTable: number;
  readonly segmentBytes: SizeSpread;
  readonly includeOddNames: boolean;
}

/** The smallest segment: eight bytes, so that two versions of it practically never have the same bytes. */
const SMALLEST_SEGMENT_BYTES = 8;

/**
 * Paths that trip careless code, with sizes in bytes. `t1-old/` and `t1.note` sort before `t1/` by bytes, although a walk that
 * sorts names meets `t1` first; the ligature (U+FB01) and the key (U+1F5DD) sort differently by UTF-16 units and by bytes.
 * No two differ in case or Unicode normalization only, since not every file system can hold both.
 */
export const ODD_FILES: readonly (readonly [path: string, sizeBytes: number])[] = [
  ['rank-1/tom-0/t1/annual report 2026.seg', 700],
  ['rank-1/tom-0/t1/ leading and trailing .seg ', 12],
  ['rank-1/tom-0/t1/a+b=c&d.seg', 300],
  ['rank-1/tom-0/t1/100%.seg', 40],
  ['rank-1/tom-0/t1/%2e%2e%2F+.seg', 41],
  ["rank-1/tom-0/t1/#1?'s *best*; {rank}.seg", 90],
  ['rank-1/tom-0/t1/\u{1F5DD} \u00fc \u{1D4B3}.seg', 1234],
  ['rank-1/tom-0/t1/\uFB01nal.seg', 77],
  ['rank-1/tom-0/t1/\u65E5\u672C\u8A9E.seg', 512],
  ['rank-1/tom-0/t1/empty.seg', 0],
  ['rank-1/tom-0/t1-old/000001.seg', 256],
  ['rank-1/tom-0/t1.note', 33],
];

export const EMPTY_DIRECTORY = 'rank-1/tom-0/spool';

export function segmentLayout(options: SegmentClusterOptions): SegmentLayout {
  const layout: SegmentLayout = {
    seed: options.seed,
    workers: options.workers ?? 3,
    tomsPerRank: options.tomsPerRank ?? 2,
    tables: options.tables ?? 3,
    segmentsPerTable: options.segmentsPerTable ?? 6,
    segmentBytes: {
      medianBytes: 32_768,
      sigma: 1.8,
      minBytes: SMALLEST_SEGMENT_BYTES,
      maxBytes: 4 * 1024 * 1024,
      ...options.segmentBytes,
    },
    includeOddNames: options.includeOddNames ?? false,
  };
  assertCount('workers', layout.workers, 1);
  assertCount('tomsPerRank', layout.tomsPerRank, 1);
  assertCount('tables', layout.tables, 1);
  assertCount('segmentsPerTable', layout.segmentsPerTable, 0);
  assertCount('segmentBytes.minBytes', layout.segmentBytes.minBytes, SMALLEST_SEGMENT_BYTES);
  assertCount('segmentBytes.maxBytes', layout.segmentBytes.maxBytes, layout.segmentBytes.minBytes);
  return layout;
}

/** `rank-1/tom-0/t1/`, ... of every worker. */
export function tableDirectories(layout: SegmentLayout): string[] {
  const directories: string[] = [];
  for (let rank = 1; rank <= layout.workers; rank += 1) {
    for (let tom = 0; tom < layout.tomsPerRank; tom += 1) {
      for (let table = 1; table <= layout.tables; table += 1) {
        directories.push(`rank-${rank}/tom-${tom}/t${table}/`);
      }
    }
  }
  return directories;
}

export function assertCount(name: string, count: number, least: number): void {
  if (!Number.isInteger(count) || count < least) {
    throw new SampleInvalid(`${name} is ${count}; give an integer of at least ${least}.`);
  }
}

/** @param share of the segments, from 0 to 1 */
export function assertShare(share: number): void {
  if (!(share >= 0 && share <= 1)) {
    throw new SampleInvalid(`share is ${share}; give a number from 0 to 1.`);
  }
}
