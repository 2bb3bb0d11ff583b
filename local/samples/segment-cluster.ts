import pMap from 'p-map';
import { contentOf, type SampleChange, type SampleTree } from './sample-file.ts';
import { assertCount, assertShare, type SegmentClusterOptions, segmentLayout } from './segment-layout.ts';
import { SegmentPlan } from './segment-plan.ts';
import { alwaysOpen, type WriteGate } from './write-gate.ts';

export interface StepReport {
  /** Paths of files made or rewritten, metadata included. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly writtenBytes: number;
  /** The whole cluster after the step. */
  readonly totalFiles: number;
  readonly totalBytes: number;
}

/**
 * A cluster laid out like a column store's, in a tree that the caller chooses:
 * `rank-<n>/tom-<m>/t<table>/<000001>.seg`, `.../columns.idx`, `rank-<n>/meta.mdb`, `rank-0/catalog.mdb`, and `cluster.conf`,
 * which belongs to no rank. The same options and the same steps give the same files, whatever the tree.
 * Steps are called one after the other; each resolves when everything is written. After one that failed, start anew: nobody knows
 * how much of it was written.
 */
export class SegmentCluster {
  readonly #seed: string;
  readonly #plan: SegmentPlan;
  readonly #tree: SampleTree;
  readonly #gate: WriteGate;

  /** @param gate every mutation passes through it; @default - nobody holds the cluster */
  constructor(options: SegmentClusterOptions, tree: SampleTree, gate: WriteGate = alwaysOpen) {
    this.#seed = options.seed;
    this.#plan = new SegmentPlan(segmentLayout(options));
    this.#tree = tree;
    this.#gate = gate;
  }

  /** The first step: writes the cluster. */
  async create(): Promise<StepReport> {
    return await this.#carryOut(this.#plan.create());
  }

  async append(options: { readonly segments: number }): Promise<StepReport> {
    assertCount('segments', options.segments, 1);
    return await this.#carryOut(this.#plan.append(options.segments));
  }

  /** @param options.share of the segments, 0 to 1; half of those chosen keep their size */
  async rewrite(options: { readonly share: number }): Promise<StepReport> {
    assertShare(options.share);
    return await this.#carryOut(this.#plan.rewrite(options.share));
  }

  /** @param options.share of the segments, 0 to 1 */
  async remove(options: { readonly share: number }): Promise<StepReport> {
    assertShare(options.share);
    return await this.#carryOut(this.#plan.remove(options.share));
  }

  /** @param options.tables how many tables of a TOM get some of their segments merged */
  async compact(options: { readonly tables: number }): Promise<StepReport> {
    assertCount('tables', options.tables, 1);
    return await this.#carryOut(this.#plan.compact(options.tables));
  }

  /** Writes first, removals after them; within each, as many at once as the tree takes. */
  async #carryOut(changes: readonly SampleChange[]): Promise<StepReport> {
    const removals = changes.filter((change) => change.kind === 'remove');
    const others = changes.filter((change) => change.kind !== 'remove');
    const carryOut = (change: SampleChange) => this.#gate(() => this.#apply(change));
    await pMap(others, carryOut, { concurrency: this.#tree.concurrency });
    await pMap(removals, carryOut, { concurrency: this.#tree.concurrency });
    return this.#report(changes);
  }

  async #apply(change: SampleChange): Promise<void> {
    switch (change.kind) {
      case 'write':
        return await this.#tree.write(change.file.path, contentOf(this.#seed, change.file));
      case 'remove':
        return await this.#tree.remove(change.path);
      case 'directory':
        return await this.#tree.makeDirectory(change.path);
      default:
        return change satisfies never;
    }
  }

  #report(changes: readonly SampleChange[]): StepReport {
    const written = changes.filter((change) => change.kind === 'write').map((change) => change.file);
    const files = [...this.#plan.files.values()];
    return {
      written: written.map((file) => file.path),
      removed: changes.filter((change) => change.kind === 'remove').map((change) => change.path),
      writtenBytes: written.reduce((sum, file) => sum + file.sizeBytes, 0),
      totalFiles: files.length,
      totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    };
  }
}
