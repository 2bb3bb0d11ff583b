import { beforeAll, describe, expect, test } from 'vitest';
import { digestOfTree, type TreeEntry } from '../../local/samples/compare-trees.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import type { Committed } from './support/outcomes.ts';
import type { Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
import { expectSameTree } from './support/trees.ts';

const SMALL = { workers: 2, tomsPerRank: 2, tables: 1, segmentsPerTable: 3, segmentBytes: { medianBytes: 2_000 } };

interface Moment {
  readonly snapshot: Committed;
  readonly tree: readonly TreeEntry[];
}

async function takeAt(place: Place, type: Committed['type']): Promise<Moment> {
  const tree = await place.read();
  return { snapshot: await journey.snapshot(place, type), tree };
}

describe('a cluster on S3 through a chain of every type', () => {
  let moments: Moment[];
  let source: Place;

  beforeAll(async () => {
    source = journey.takeS3();
    const cluster = new SegmentCluster({ seed: 'chain', ...SMALL, includeOddNames: true }, source.tree);
    await cluster.create();
    moments = [await takeAt(source, 'full')];
    await cluster.append({ segments: 4 });
    moments.push(await takeAt(source, 'incremental'));
    await cluster.rewrite({ share: 0.3 });
    moments.push(await takeAt(source, 'incremental'));
    await cluster.remove({ share: 0.3 });
    moments.push(await takeAt(source, 'differential'));
    await cluster.compact({ tables: 2 });
    moments.push(await takeAt(source, 'incremental'));
  });

  test('builds each snapshot on the right base and stores only what changed', () => {
    const [full, first, second, differential, afterDifferential] = moments.map(({ snapshot }) => snapshot);
    expect(moments.map(({ snapshot }) => snapshot.type)).toEqual([
      'full',
      'incremental',
      'incremental',
      'differential',
      'incremental',
    ]);
    expect([first?.base, second?.base]).toEqual([full?.snapshot, first?.snapshot]);
    expect(differential?.base).toBe(full?.snapshot);
    expect(afterDifferential?.base).toBe(differential?.snapshot);
    expect(full?.totals.storedParts).toBe(full?.totals.parts);
    expect(first?.totals.storedParts).toBeLessThan(first?.totals.parts ?? 0);
    // What the differential does not name any more must not be stored by what builds on it.
    expect(afterDifferential?.totals.storedParts).toBeLessThan(differential?.totals.storedParts ?? 0);
  });

  test('restores every point in time into an empty cluster', async () => {
    const target = journey.takeS3();
    for (const { snapshot, tree } of moments) {
      await target.wipe();
      const report = await journey.restore(source, target, { snapshot: snapshot.snapshot });
      expectSameTree(tree, await target.read());
      expect(report.placed).toBe(snapshot.totals.parts);
    }
  });

  test('restores every point in time over another point in time, copying only what differs', async () => {
    const target = journey.takeS3();
    await journey.restore(source, target);
    for (const { snapshot, tree } of moments) {
      const report = await journey.restore(source, target, { snapshot: snapshot.id, policy: 'replace' });
      expectSameTree(tree, await target.read());
      expect(report.kept).toBeGreaterThan(0);
      expect(await target.readOwn()).toEqual([]);
    }
  });

  test('restores the first and the last point in time over a cluster of somebody else', async () => {
    const target = journey.takeS3();
    for (const [index, { snapshot, tree }] of [...moments.slice(0, 1), ...moments.slice(-1)].entries()) {
      await target.wipe();
      const foreign = new SegmentCluster({ seed: `foreign ${index}`, ...SMALL, tables: 2 }, target.tree);
      await foreign.create();
      const report = await journey.restore(source, target, { snapshot: snapshot.snapshot, policy: 'replace' });
      expectSameTree(tree, await target.read());
      expect(report.removed).toBeGreaterThan(0);
    }
  });

  test('leaves the source as it was', async () => {
    expect(digestOfTree(await source.read())).toBe(digestOfTree(moments.at(-1)?.tree ?? []));
  });
});

test('a rank that is added is whole in the next incremental', async () => {
  const [source, target] = [journey.takeS3(), journey.takeS3()];
  await new SegmentCluster({ seed: 'growing', ...SMALL }, source.tree).create();
  await journey.snapshot(source, 'full');
  const grown = new SegmentCluster(
    { seed: 'growing', ...SMALL, workers: 3 },
    {
      ...source.tree,
      write: (path, content) => (path.startsWith('rank-3/') ? source.tree.write(path, content) : Promise.resolve()),
    },
  );
  await grown.create();
  const { snapshot, tree } = await takeAt(source, 'incremental');
  const added = tree.filter(({ path }) => path.startsWith('rank-3/'));
  expect(snapshot).toMatchObject({ type: 'incremental', totals: { storedParts: added.length } });
  expect(added.length).toBeGreaterThan(0);
  await journey.restore(source, target);
  expectSameTree(tree, await target.read());
});

test('a cluster with two roots goes back root by root', async () => {
  const [source, target] = [journey.s3Place('split_s3'), journey.s3Place('split_s3_dr')];
  const write = (path: string, text: string) => source.tree.write(path, [Buffer.from(text)]);
  await write('meta/cluster.conf', 'x = 1');
  await write('meta/rank-0/catalog.mdb', 'catalog');
  await write('meta/rank-1/meta.mdb', 'one');
  await write('meta/rank-1/scratch.tmp', 'not wanted');
  await write('data/node001/shard-0/a.seg', 'a');
  await write('data/node001/shard-1/b.seg', 'b');
  await journey.snapshot(source, 'full');
  await write('data/node001/shard-1/b.seg', 'bb');
  await source.tree.remove('data/node001/shard-0/a.seg');
  const { snapshot, tree } = await takeAt(source, 'incremental');
  expect(snapshot.totals).toMatchObject({ parts: 4, storedParts: 1 });
  await journey.restore(source, target);
  expectSameTree(
    tree.filter(({ path }) => !path.endsWith('.tmp')),
    await target.read(),
  );
});
