import { chmodSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TreeEntry } from '../../local/samples/compare-trees.ts';
import { readTree } from '../../local/samples/compare-trees.ts';
import { writeKagentBackup } from '../../local/samples/kagent-directory.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { type Committed, expectFailure } from './support/outcomes.ts';
import type { FilePlace, Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
import { expectSameBytes, expectSameTree } from './support/trees.ts';

const SMALL = { workers: 2, tomsPerRank: 2, tables: 1, segmentsPerTable: 3, segmentBytes: { medianBytes: 2_000 } };

interface Moment {
  readonly snapshot: Committed;
  readonly tree: readonly TreeEntry[];
}

async function takeAt(place: Place, type: Committed['type']): Promise<Moment> {
  const tree = await place.read();
  return { snapshot: await journey.snapshot(place, type), tree };
}

describe('a cluster in a directory through a chain of every type', () => {
  let moments: Moment[];
  let source: FilePlace;

  beforeAll(async () => {
    source = journey.takeFiles();
    const cluster = new SegmentCluster({ seed: 'chain', ...SMALL, includeOddNames: true }, source.tree);
    await cluster.create();
    moments = [await takeAt(source, 'full')];
    await cluster.append({ segments: 4 });
    moments.push(await takeAt(source, 'differential'));
    await cluster.rewrite({ share: 0.3 });
    moments.push(await takeAt(source, 'incremental'));
    await cluster.remove({ share: 0.3 });
    // An empty directory more, one less, and other modes: nothing but attributes changes here.
    mkdirSync(join(source.directory, 'rank-2/tom-1/new'), { mode: 0o700 });
    rmSync(join(source.directory, 'rank-1/tom-0/spool'), { recursive: true });
    chmodSync(join(source.directory, 'rank-1/tom-1'), 0o700);
    chmodSync(join(source.directory, 'rank-1/tom-0/t1/empty.seg'), 0o400);
    moments.push(await takeAt(source, 'incremental'));
    await cluster.compact({ tables: 2 });
    moments.push(await takeAt(source, 'differential'));
  });

  test('stores only what changed, and what is always read', () => {
    const [full, differential, incremental] = moments.map(({ snapshot }) => snapshot);
    expect(full?.totals.storedParts).toBe(full?.totals.parts);
    expect(differential?.totals.storedParts).toBeLessThan((differential?.totals.parts ?? 0) / 2);
    expect(incremental?.base).toBe(differential?.snapshot);
    expect(incremental?.totals.storedParts).toBeLessThan(incremental?.totals.parts ?? 0);
  });

  test('restores every point in time into an empty directory, times, modes and empty directories included', async () => {
    const target = journey.takeFiles();
    for (const { snapshot, tree } of moments) {
      await target.wipe();
      await journey.restore(source, target, { snapshot: snapshot.snapshot });
      expectSameTree(tree, await target.read());
      expect(await target.readOwn()).toEqual([]);
    }
  });

  test('restores every point in time over another point in time, copying only what differs', async () => {
    const target = journey.takeFiles();
    await journey.restore(source, target);
    for (const { snapshot, tree } of moments) {
      const report = await journey.restore(source, target, { snapshot: snapshot.snapshot, policy: 'replace' });
      expectSameTree(tree, await target.read());
      expect(report.kept).toBeGreaterThan(0);
    }
  });

  test('restores the first and the last point in time over a cluster of somebody else', async () => {
    const target = journey.takeFiles();
    for (const [index, { snapshot, tree }] of [...moments.slice(0, 1), ...moments.slice(-1)].entries()) {
      await target.wipe();
      const foreign = new SegmentCluster({ seed: `foreign ${index}`, ...SMALL, tables: 2 }, target.tree);
      await foreign.create();
      const report = await journey.restore(source, target, { snapshot: snapshot.snapshot, policy: 'replace' });
      expectSameTree(tree, await target.read());
      expect(report.removed).toBeGreaterThan(0);
    }
  });

  test('restores onto S3 too, where only bytes count', async () => {
    const target = journey.takeS3();
    await journey.restore(source, target);
    expectSameBytes(moments.at(-1)?.tree ?? [], await target.read());
  });
});

test('files and directories that changed places are told apart', async () => {
  const [source, target] = [journey.takeFiles(), journey.takeFiles()];
  const write = (place: FilePlace, path: string, text: string) => place.tree.write(path, [Buffer.from(text)]);
  await write(source, 'rank-0/meta.mdb', 'meta');
  await write(source, 'rank-1/tom-0/a/b', 'a file in a directory');
  await write(source, 'rank-1/tom-0/c', 'a file');
  await write(target, 'rank-0/meta.mdb', 'other');
  await write(target, 'rank-1/tom-0/a', 'a file');
  await write(target, 'rank-1/tom-0/c/d/e', 'a file in directories');
  // Rank 0 has no directory in the snapshot at all.
  mkdirSync(join(target.directory, 'rank-0/left/over'), { recursive: true });
  await journey.snapshot(source, 'full');
  await journey.restore(source, target, { policy: 'replace' });
  expectSameTree(await source.read(), await target.read());
});

test('a part that was rewritten within its listing’s tick, with equal size and time, is not taken for unchanged', async () => {
  const [source, target] = [journey.takeFiles(), journey.takeFiles()];
  await source.tree.write('rank-0/meta.mdb', [Buffer.from('meta')]);
  await source.tree.write('rank-1/tom-0/a.seg', [Buffer.from('before')]);
  const path = join(source.directory, 'rank-1/tom-0/a.seg');
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  await journey.snapshot(source, 'full');
  await source.tree.write('rank-1/tom-0/a.seg', [Buffer.from('after!')]);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  await journey.snapshot(source, 'incremental');
  await journey.restore(source, target);
  expectSameTree(await source.read(), await target.read());
});

test('a cluster with two roots goes back root by root', async () => {
  const [source, target] = [journey.filePlace('split_files'), journey.filePlace('split_files_dr')];
  const write = (path: string, text: string) => source.tree.write(path, [Buffer.from(text)]);
  await write('meta/cluster.conf', 'x = 1');
  await write('meta/rank-0/catalog.mdb', 'catalog');
  await write('one/meta.mdb', 'one');
  await write('one/tom00/a.seg', 'a');
  await write('one/tom01/b.seg', 'b');
  mkdirSync(join(target.directory, 'meta'), { recursive: true });
  mkdirSync(join(target.directory, 'one'), { recursive: true });
  await journey.snapshot(source, 'full');
  await write('one/tom01/b.seg', 'bb');
  await write('one/tom02/c.seg', 'c');
  const { snapshot } = await takeAt(source, 'incremental');
  expect(snapshot.totals.parts).toBe(6);
  await journey.restore(source, target);
  for (const root of ['meta', 'one']) {
    expectSameTree(await readTree(join(source.directory, root)), await readTree(join(target.directory, root)));
  }
});

describe('a KAgent source', () => {
  const STARTED_AT = Date.UTC(2026, 0, 1, 1);
  let live: FilePlace;
  let vaulted: { snapshot: Committed; tree: readonly TreeEntry[]; directory: string }[];

  /** KAgent copies the cluster into a directory of its own; Rankvault then vaults that. */
  async function vaultNext(type: Committed['type'], hours: number) {
    const directory = await writeKagentBackup({
      clusterDirectory: live.directory,
      backupPath: journey.filePlace('kagent').directory,
      clusterName: 'gpudb',
      startedAtEpochMillis: STARTED_AT + hours * 3_600_000,
      modifiedAtEpochMillis: STARTED_AT + hours * 3_600_000,
    });
    const snapshot = await journey.snapshot({ backup: 'kagent_backup' }, type);
    return { snapshot, tree: await readTree(directory), directory };
  }

  beforeAll(async () => {
    live = journey.takeFiles();
    const cluster = new SegmentCluster({ seed: 'kagent', ...SMALL }, live.tree);
    await cluster.create();
    vaulted = [await vaultNext('full', 0)];
    await cluster.append({ segments: 3 });
    vaulted.push(await vaultNext('incremental', 24));
    await cluster.rewrite({ share: 0.5 });
    vaulted.push(await vaultNext('differential', 48));
  });

  test('restores every directory under the name that KAgent gave it, and tells the next command', async () => {
    const staging = journey.filePlace('kagent_dr');
    for (const { snapshot, tree, directory } of vaulted) {
      const name = directory.slice(directory.lastIndexOf('/') + 1);
      mkdirSync(join(staging.directory, 'gpudb', name), { recursive: true });
      const report = await journey.restore({ backup: 'kagent_backup' }, staging, {
        snapshot: snapshot.snapshot,
        targetIsStopped: false,
      });
      expectSameTree(tree, await readTree(join(staging.directory, 'gpudb', name)));
      expect(report.next).toBe(`Run: kagent cluster restore --restore-from gpudb/${name} gpudb`);
    }
  });

  test('has nothing to vault until KAgent has made a newer directory', async () => {
    expectFailure(await journey.trySnapshot({ backup: 'kagent_backup' }, 'incremental'), {
      error: 'KagentSnapshotMissing',
      problem: /no snapshot directory since snapshot\.2026-01-03\.01-00-00/,
      hint: /Check the path and the cluster name of the source/,
    });
  });

  test('does not go into a cluster that reads its files itself', async () => {
    const target = journey.takeFiles();
    expectFailure(await journey.tryRestore({ backup: 'kagent_backup' }, target), {
      error: 'InputInvalid',
      problem: /made from the source 'kagent' and cluster 'files\d+' has the source 'files'/,
      hint: /choose a target cluster with the same kind of source/,
    });
    expect(await target.read()).toEqual([]);
  });
});
