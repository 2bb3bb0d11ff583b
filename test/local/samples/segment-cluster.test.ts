import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareTrees, digestOfTree, readTree } from '../../../local/samples/compare-trees.ts';
import { createDirectoryTree } from '../../../local/samples/directory-tree.ts';
import { SampleInvalid } from '../../../local/samples/sample-file.ts';
import { SegmentCluster, type StepReport } from '../../../local/samples/segment-cluster.ts';
import { EMPTY_DIRECTORY, ODD_FILES, type SegmentClusterOptions } from '../../../local/samples/segment-layout.ts';
import { createHoldableGate } from '../../../local/samples/write-gate.ts';
import { scratchDirectory } from './scratch.ts';

const SMALL: SegmentClusterOptions = { seed: 'one', workers: 2, tomsPerRank: 2, tables: 2, segmentsPerTable: 4 };
const BYTES_ONLY = { attributes: false };

function clusterIn(directory: string, options: Partial<SegmentClusterOptions> = {}): SegmentCluster {
  return new SegmentCluster({ ...SMALL, ...options }, createDirectoryTree({ directory }));
}

async function digestAfterAllSteps(options: Partial<SegmentClusterOptions>): Promise<string> {
  await using scratch = await scratchDirectory();
  const cluster = clusterIn(scratch.path, options);
  await cluster.create();
  await cluster.append({ segments: 5 });
  await cluster.rewrite({ share: 0.2 });
  await cluster.remove({ share: 0.1 });
  await cluster.compact({ tables: 2 });
  return digestOfTree(await readTree(scratch.path));
}

/** Paths whose file is there before or after only, or has other bytes; each with its two sizes. */
async function changedBy(
  step: (cluster: SegmentCluster) => Promise<StepReport>,
  options: Partial<SegmentClusterOptions> = {},
) {
  await using scratch = await scratchDirectory();
  const cluster = clusterIn(scratch.path, options);
  await cluster.create();
  const before = await readTree(scratch.path);
  const report = await step(cluster);
  const after = await readTree(scratch.path);
  const files = (tree: typeof before) => new Map(tree.map((entry) => [entry.path, entry]));
  const [old, current] = [files(before), files(after)];
  const paths = [...new Set([...old.keys(), ...current.keys()])];
  return {
    report,
    added: paths.filter((path) => !old.has(path)),
    gone: paths.filter((path) => !current.has(path)),
    rewritten: paths.filter(
      (path) => old.has(path) && current.has(path) && old.get(path)?.sha256 !== current.get(path)?.sha256,
    ),
    sizeOf: (path: string) => ({ before: old.get(path)?.sizeBytes, after: current.get(path)?.sizeBytes }),
  };
}

const segmentsOf = (paths: readonly string[]) => paths.filter((path) => path.endsWith('.seg'));
const metadataOf = (paths: readonly string[]) => paths.filter((path) => !path.endsWith('.seg'));

describe('a segment cluster', () => {
  it('is the same for the same seed and steps, and another for another seed', async () => {
    const first = await digestAfterAllSteps({ seed: 'one', includeOddNames: true });
    expect(await digestAfterAllSteps({ seed: 'one', includeOddNames: true })).toBe(first);
    expect(await digestAfterAllSteps({ seed: 'two', includeOddNames: true })).not.toBe(first);
  });

  it('has ranks, TOMs, tables, rank-level files, a head with metadata only and a file of no rank', async () => {
    await using scratch = await scratchDirectory();
    const report = await clusterIn(scratch.path).create();
    const files = (await readTree(scratch.path)).filter((entry) => entry.kind === 'file');
    const paths = files.map((entry) => entry.path);
    expect(paths).toContain('cluster.conf');
    expect(paths).toContain('rank-2/meta.mdb');
    expect(paths).toContain('rank-2/tom-1/t2/columns.idx');
    expect(paths).toContain('rank-2/tom-1/t2/000004.seg');
    expect(paths.filter((path) => path.startsWith('rank-0/'))).toEqual(['rank-0/catalog.mdb', 'rank-0/meta.mdb']);
    expect(segmentsOf(paths)).toHaveLength(2 * 2 * 2 * 4);
    expect(report.totalFiles).toBe(files.length);
    expect(report.totalBytes).toBe(files.reduce((sum, entry) => sum + entry.sizeBytes, 0));
    expect(report.writtenBytes).toBe(report.totalBytes);
  });

  it('spreads sizes from a few bytes to the greatest allowed', async () => {
    await using scratch = await scratchDirectory();
    const segmentBytes = { medianBytes: 1000, sigma: 3, maxBytes: 200_000 };
    await clusterIn(scratch.path, { segmentsPerTable: 50, segmentBytes }).create();
    const tree = await readTree(scratch.path);
    const sizes = tree.filter((entry) => entry.path.endsWith('.seg')).map((entry) => entry.sizeBytes);
    expect(Math.max(...sizes)).toBe(200_000);
    expect(Math.min(...sizes)).toBeLessThan(50);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(8);
    const small = sizes.filter((sizeBytes) => sizeBytes < 1000).length / sizes.length;
    expect(small).toBeGreaterThan(0.4);
    expect(small).toBeLessThan(0.6);
  });

  it('has odd names, an empty file and an empty directory when asked', async () => {
    await using scratch = await scratchDirectory();
    await clusterIn(scratch.path, { includeOddNames: true }).create();
    const sizes = new Map((await readTree(scratch.path)).map((entry) => [entry.path, entry.sizeBytes]));
    for (const [path, sizeBytes] of ODD_FILES) {
      expect([path, sizes.get(path)]).toEqual([path, sizeBytes]);
    }
    expect(sizes.get(`${EMPTY_DIRECTORY}/`)).toBe(0);
  });

  it('gives files the time that is asked for', async () => {
    await using scratch = await scratchDirectory();
    const modifiedAtEpochMillis = () => Date.UTC(2026, 0, 2, 3, 4, 5);
    const tree = createDirectoryTree({ directory: scratch.path, modifiedAtEpochMillis });
    await new SegmentCluster(SMALL, tree).create();
    const { mtimeMs, mode } = await stat(join(scratch.path, 'rank-1/tom-0/t1/000001.seg'));
    expect(mtimeMs).toBe(modifiedAtEpochMillis());
    expect(mode & 0o777).toBe(0o640);
  });

  it.each([
    [{ workers: 0 }, 'workers is 0'],
    [{ segmentBytes: { minBytes: 1 } }, 'segmentBytes.minBytes is 1'],
    [{ segmentBytes: { maxBytes: 2.5 } }, 'segmentBytes.maxBytes is 2.5'],
  ])('refuses %j', (options, message) => {
    expect(() => clusterIn('/nowhere', options)).toThrow(SampleInvalid);
    expect(() => clusterIn('/nowhere', options)).toThrow(message);
  });

  it('refuses a share that is none', async () => {
    await expect(clusterIn('/nowhere').remove({ share: 1.5 })).rejects.toThrow('share is 1.5');
  });
});

describe('a step of a segment cluster', () => {
  it('appends new segments and rewrites only the metadata of their tables and ranks', async () => {
    const { report, added, gone, rewritten } = await changedBy((cluster) => cluster.append({ segments: 3 }));
    expect(added).toHaveLength(3);
    expect(segmentsOf(added)).toHaveLength(3);
    expect(gone).toEqual([]);
    const tables = new Set(added.map((path) => path.replace(/[^/]+$/, 'columns.idx')));
    const ranks = new Set(added.map((path) => path.replace(/\/.*/, '/meta.mdb')));
    expect(rewritten.toSorted()).toEqual([...tables, ...ranks].sort());
    expect([...report.written].sort()).toEqual([...added, ...rewritten].sort());
  });

  it('rewrites a share of the segments, half of them in the same size', async () => {
    const step = await changedBy((cluster) => cluster.rewrite({ share: 0.25 }));
    const segments = segmentsOf(step.rewritten);
    const sameSize = segments.filter((path) => step.sizeOf(path).before === step.sizeOf(path).after);
    expect([step.added, step.gone]).toEqual([[], []]);
    expect(segments).toHaveLength(32 / 4);
    expect(sameSize).toHaveLength(4);
    expect([...step.report.written].sort()).toEqual(step.rewritten.toSorted());
  });

  it('rewrites odd files too', async () => {
    const { rewritten } = await changedBy((cluster) => cluster.rewrite({ share: 1 }), { includeOddNames: true });
    const odd = ODD_FILES.filter(([path, sizeBytes]) => path.includes('.seg') && sizeBytes > 0).map(([path]) => path);
    expect(rewritten).toEqual(expect.arrayContaining(odd));
  });

  it('removes a share of the segments', async () => {
    const { report, added, gone, rewritten } = await changedBy((cluster) => cluster.remove({ share: 0.25 }));
    expect(added).toEqual([]);
    expect(segmentsOf(gone)).toHaveLength(8);
    expect([...report.removed].sort()).toEqual(gone.toSorted());
    expect(segmentsOf(rewritten)).toEqual([]);
    expect(metadataOf(rewritten).length).toBeGreaterThan(0);
  });

  it('compacts several segments of a table into one of their total size', async () => {
    const step = await changedBy((cluster) => cluster.compact({ tables: 1 }));
    const [merged = ''] = step.added;
    const goneBytes = step.gone.reduce((sum, path) => sum + (step.sizeOf(path).before ?? 0), 0);
    expect(step.added).toHaveLength(1);
    expect(step.gone.length).toBeGreaterThan(1);
    expect(new Set(step.gone.map((path) => path.replace(/[^/]+$/, '')))).toEqual(
      new Set([merged.replace(/[^/]+$/, '')]),
    );
    expect(step.sizeOf(merged).after).toBe(goneBytes);
    expect(segmentsOf(step.rewritten)).toEqual([]);
  });

  it('never uses the number of a removed segment again', async () => {
    await using scratch = await scratchDirectory();
    const cluster = clusterIn(scratch.path);
    await cluster.create();
    const { removed } = await cluster.remove({ share: 1 });
    const { written } = await cluster.append({ segments: 30 });
    expect(segmentsOf(written)).toHaveLength(30);
    expect(segmentsOf(written).filter((path) => removed.includes(path))).toEqual([]);
  });

  it('changes nothing while it is held, and goes on after the release', async () => {
    await using scratch = await scratchDirectory();
    const { gate, hold, release } = createHoldableGate();
    const cluster = new SegmentCluster(SMALL, createDirectoryTree({ directory: scratch.path }), gate);
    await cluster.create();
    const running = cluster.append({ segments: 200 });
    await hold();
    const held = await readTree(scratch.path);
    expect(compareTrees(held, await readTree(scratch.path), { attributes: true })).toEqual([]);
    release();
    const { written } = await running;
    const added = compareTrees(held, await readTree(scratch.path), BYTES_ONLY).filter((line) =>
      line.includes('missing there'),
    );
    expect(segmentsOf(written)).toHaveLength(200);
    expect(added.length).toBeGreaterThan(190);
  });
});
