import { createRandom, type Random, randomBelow, randomSample, randomSizeBytes } from './random.ts';
import type { SampleChange, SampleFile } from './sample-file.ts';
import { EMPTY_DIRECTORY, ODD_FILES, type SegmentLayout, tableDirectories } from './segment-layout.ts';

const SEGMENT = /^(rank-\d+\/tom-\d+\/t\d+\/)\d{6}\.seg$/;

/**
 * Decides what each step of a segment cluster changes; writes nothing. It keeps path, size and version of each file, no bytes.
 *
 * A step that touches segments of a table also rewrites that table's `columns.idx` and the rank's `meta.mdb`, as a database does.
 * Every method returns its changes in an order that keeps the files readable throughout: new bytes first, removals last.
 */
export class SegmentPlan {
  readonly #layout: SegmentLayout;
  readonly #random: Random;
  readonly #files = new Map<string, SampleFile>();
  /** Directory of a table in a TOM to the number of its next segment; numbers are never used twice. */
  readonly #nextNumber = new Map<string, number>();

  constructor(layout: SegmentLayout) {
    this.#layout = layout;
    this.#random = createRandom(`segments ${layout.seed}`);
  }

  /** Every file as the steps so far have left it. */
  get files(): ReadonlyMap<string, SampleFile> {
    return this.#files;
  }

  create(): SampleChange[] {
    const { workers, includeOddNames, segmentsPerTable } = this.#layout;
    const changes = [
      this.#write('cluster.conf', 640),
      this.#write('rank-0/catalog.mdb', 16_384),
      this.#write('rank-0/meta.mdb', 4096),
    ];
    for (const directory of tableDirectories(this.#layout)) {
      for (let count = 0; count < segmentsPerTable; count += 1) {
        changes.push(this.#newSegment(directory));
      }
      changes.push(this.#rewriteIndex(directory, segmentsPerTable));
    }
    for (let rank = 1; rank <= workers; rank += 1) {
      changes.push(this.#write(`rank-${rank}/meta.mdb`, 8192));
    }
    if (includeOddNames) {
      changes.push(...ODD_FILES.map(([path, sizeBytes]) => this.#write(path, sizeBytes)));
      changes.push({ kind: 'directory', path: EMPTY_DIRECTORY });
    }
    return changes;
  }

  /** New segments, each in a table chosen at random. */
  append(segments: number): SampleChange[] {
    const tables = tableDirectories(this.#layout);
    const changes: SampleChange[] = [];
    for (let count = 0; count < segments; count += 1) {
      changes.push(this.#newSegment(tables[randomBelow(this.#random, tables.length)] ?? ''));
    }
    return this.#withMetadata(changes);
  }

  /** Other bytes in some segments and odd files: every second one keeps its size, the others get a new one. */
  rewrite(share: number): SampleChange[] {
    const candidates = [...this.#files.values()].filter((file) => file.path.includes('.seg') && file.sizeBytes > 0);
    const changes = this.#choose(candidates, share).map((file, index) =>
      this.#write(file.path, index % 2 === 0 ? file.sizeBytes : this.#otherSizeBytes(file.sizeBytes)),
    );
    return this.#withMetadata(changes);
  }

  remove(share: number): SampleChange[] {
    const changes = this.#choose(this.#segments(), share).map((file) => this.#remove(file.path));
    return this.#withMetadata(changes);
  }

  /** In `tables` tables of a TOM, two to four of the oldest segments become one new segment of their total size. */
  compact(tables: number): SampleChange[] {
    const mergeable = [...this.#segmentsByTable()].filter(([, segments]) => segments.length > 1);
    const changes: SampleChange[] = [];
    for (const [directory, segments] of randomSample(this.#random, mergeable, tables)) {
      const merged = segments.slice(0, 2 + randomBelow(this.#random, 3));
      const totalBytes = merged.reduce((sum, file) => sum + file.sizeBytes, 0);
      changes.push(this.#newSegment(directory, totalBytes), ...merged.map((file) => this.#remove(file.path)));
    }
    return this.#withMetadata(changes);
  }

  #segments(): SampleFile[] {
    return [...this.#files.values()].filter((file) => SEGMENT.test(file.path));
  }

  #segmentsByTable(): Map<string, SampleFile[]> {
    return Map.groupBy(this.#segments(), (file) => file.path.slice(0, file.path.lastIndexOf('/') + 1));
  }

  /** At least one unless the share is 0. */
  #choose(files: readonly SampleFile[], share: number): SampleFile[] {
    return randomSample(this.#random, files, Math.ceil(files.length * share));
  }

  #otherSizeBytes(sizeBytes: number): number {
    const other = randomSizeBytes(this.#random, this.#layout.segmentBytes);
    return other === sizeBytes ? other + 1 : other;
  }

  #newSegment(directory: string, sizeBytes?: number): SampleChange {
    const number = this.#nextNumber.get(directory) ?? 1;
    this.#nextNumber.set(directory, number + 1);
    const path = `${directory}${String(number).padStart(6, '0')}.seg`;
    return this.#write(path, sizeBytes ?? randomSizeBytes(this.#random, this.#layout.segmentBytes));
  }

  #withMetadata(changes: readonly SampleChange[]): SampleChange[] {
    const paths = changes.map((change) => (change.kind === 'write' ? change.file.path : change.path));
    const segments = this.#segmentsByTable();
    const tables = new Set(paths.map((path) => SEGMENT.exec(path)?.[1]).filter((directory) => directory !== undefined));
    const ranks = new Set(paths.map((path) => path.slice(0, path.indexOf('/'))));
    return [
      ...changes.filter((change) => change.kind !== 'remove'),
      ...[...tables].map((directory) => this.#rewriteIndex(directory, segments.get(directory)?.length ?? 0)),
      ...[...ranks].map((rank) => this.#write(`${rank}/meta.mdb`, 8192)),
      ...changes.filter((change) => change.kind === 'remove'),
    ];
  }

  #rewriteIndex(directory: string, segments: number): SampleChange {
    return this.#write(`${directory}columns.idx`, 64 + 32 * segments);
  }

  #write(path: string, sizeBytes: number): SampleChange {
    const before = this.#files.get(path);
    const file = { path, sizeBytes, version: before === undefined ? 0 : before.version + 1 };
    this.#files.set(path, file);
    return { kind: 'write', file };
  }

  #remove(path: string): SampleChange {
    this.#files.delete(path);
    return { kind: 'remove', path };
  }
}
