import { describe, expect, it } from 'vitest';
import { BATCH_LIMITS } from '../../../core/batching.ts';
import { findSnapshot, readSnapshots } from '../../../core/catalog.ts';
import type { RankName } from '../../../core/ids.ts';
import { isDirectoryLine, type ManifestLine } from '../../../core/manifest.ts';
import { readManifest, readRanks } from '../../../core/manifest-io.ts';
import type { SnapshotRecord } from '../../../core/records.ts';
import { collect } from '../../support/byte-streams.ts';
import { always, type JobWorld } from '../../support/job-world.ts';
import { ListedSource, listedDirectory, listedPart } from '../../support/listed-source.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { type Merge, planOfMerge, StoringCopier, takeChain } from '../../support/merge-world.ts';

async function linesOf(world: JobWorld, record: SnapshotRecord, rank: RankName): Promise<readonly ManifestLine[]> {
  return collect(readManifest(world.vault, { backup: record.backup, snapshot: record.snapshot, rank }));
}

/** All that a line says but where its bytes lie. */
function facts(line: ManifestLine): unknown {
  if (isDirectoryLine(line)) {
    return line;
  }
  const { in: _in, etag: _etag, versionId: _versionId, key: _key, ...rest } = line;
  return rest;
}

async function mergedRecord(merge: Merge): Promise<SnapshotRecord> {
  const { backup, snapshot } = merge.plan.merge;
  return findSnapshot(await readSnapshots(merge.world.vault, backup), backup, snapshot);
}

async function assertSameButWhere(merge: Merge, source: SnapshotRecord): Promise<void> {
  const merged = await mergedRecord(merge);
  for (const rank of await merge.ranks()) {
    const copies = await linesOf(merge.world, merged, rank);
    expect(copies.map(facts)).toEqual((await linesOf(merge.world, source, rank)).map(facts));
    for (const line of copies.flatMap((each) => (isDirectoryLine(each) ? [] : [each]))) {
      expect([line.in, line.key]).toEqual([merged.snapshot, undefined]);
    }
  }
}

async function mergeAll(world: MaintainWorld, source: SnapshotRecord): Promise<Merge> {
  const { backup, snapshot } = source;
  const merge = await planOfMerge(world, { execution: `merge-${snapshot}`, backup, snapshot });
  await merge.upToCommit();
  await merge.verify();
  await assertSameButWhere(merge, source);
  return merge;
}

describe('a merged full', () => {
  it('has every part of the newest of the chain as its own, empty ones too', async () => {
    const world = new MaintainWorld();
    const { full, second, third } = await takeChain(world);
    const merge = await mergeAll(world, third);
    const record = await mergedRecord(merge);
    expect(record).toMatchObject({
      type: 'full',
      requestedType: 'full',
      full: record.snapshot,
      chain: [record.snapshot],
      mergedFrom: [full.snapshot, second.snapshot, third.snapshot],
      totals: { parts: 5, storedParts: 5, bytes: third.totals.bytes, storedBytes: third.totals.bytes },
      reason: `Merged from ${full.snapshot} up to ${third.snapshot}.`,
    });
    const ranks = await collect(readRanks(world.vault, 'prod', record.snapshot));
    expect(ranks.map((line) => line.in.map(({ snapshot }) => snapshot))).toEqual(
      Array.from({ length: 4 }, () => [record.snapshot]),
    );
  });

  it('shows the moment of the newest, as nobody’s scheduled run, by its own execution', async () => {
    const world = new MaintainWorld();
    const { third } = await takeChain(world);
    const record = await mergedRecord(await mergeAll(world, third));
    const { takenAt, source, definition, topology, cluster } = third;
    expect(record).toMatchObject({ takenAt, source, definition, topology, cluster });
    expect(record).toMatchObject({ execution: `merge-${third.snapshot}`, startedAt: record.committedAt });
    expect([record.schedule, record.scheduledTime, record.base]).toEqual([undefined, undefined, undefined]);
    expect(record.id > third.id).toBe(true);
    expect((await readSnapshots(world.vault, 'prod')).at(-1)).toEqual(record);
  });

  it('can be made of any snapshot of the chain, and leaves the later ones as they are', async () => {
    const world = new MaintainWorld();
    const { full, second, third } = await takeChain(world);
    const record = await mergedRecord(await mergeAll(world, second));
    expect(record.mergedFrom).toEqual([full.snapshot, second.snapshot]);
    expect((await readSnapshots(world.vault, 'prod')).at(-1)?.snapshot).toBe(third.snapshot);
  });

  it('can be made of a differential, which names its full', async () => {
    const world = new MaintainWorld();
    const { full } = await takeChain(world);
    const differential = await world.snapshot({ type: 'differential', execution: 'run-3' });
    expect(differential.chain).toEqual([full.snapshot, differential.snapshot]);
    const record = await mergedRecord(await mergeAll(world, differential));
    expect(record.mergedFrom).toEqual([full.snapshot, differential.snapshot]);
  });

  it('can be merged again with what was built on it', async () => {
    const world = new MaintainWorld();
    const { third } = await takeChain(world);
    const first = await mergedRecord(await mergeAll(world, third));
    world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('fourth'));
    const incremental = await world.snapshot({ type: 'incremental', execution: 'run-3' });
    expect(incremental.chain).toEqual([first.snapshot, incremental.snapshot]);
    const record = await mergedRecord(await mergeAll(world, incremental));
    expect(record.mergedFrom).toEqual([first.snapshot, incremental.snapshot]);
  });

  it('brings parts home that a warm pass had put at a rewritten key', async () => {
    const world = new MaintainWorld();
    let passes = 0;
    const meanwhile = () => {
      passes += 1;
      if (passes === 2) {
        world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('changed after the warm pass'));
      }
    };
    await world.snapshot({ backup: 'held', type: 'full', execution: 'run-0', meanwhile });
    const held = await world.snapshot({ backup: 'held', type: 'incremental', execution: 'run-1' });
    const [line] = await linesOf(world, held, 1);
    expect(line).toMatchObject({ key: expect.stringContaining('/.rewritten/') });
    world.clock.advanceMinutes(1);
    await mergeAll(world, held);
  });

  it('keeps directories, attributes, tokens and doubts of the source', async () => {
    const world = new MaintainWorld();
    world.copier = new StoringCopier(world);
    world.source = new ListedSource({
      0: [
        listedPart('meta.mdb'),
        listedPart('tom-0/a', { racy: true }),
        listedDirectory('tom-0/'),
        listedDirectory('z/'),
      ],
      1: [listedDirectory('empty/')],
      cluster: [listedPart('conf'), listedDirectory('rank-0/')],
    });
    await world.snapshot({ type: 'full', execution: 'run-0' });
    const second = await world.snapshot({ type: 'incremental', execution: 'run-1' });
    expect(second.totals).toMatchObject({ parts: 3, directories: 4 });
    world.clock.advanceMinutes(1);
    const merge = await mergeAll(world, second);
    const lines = await linesOf(world, await mergedRecord(merge), 0);
    expect(lines.map(({ path }) => path)).toEqual(['meta.mdb', 'tom-0/', 'tom-0/a', 'z/']);
    expect(lines[2]).toMatchObject({ racy: true, token: 'file:10:1:1:tom-0/a' });
  });

  it('is the base of the next incremental, which copies what has changed since and no more', async () => {
    const world = new MaintainWorld();
    world.copier = new StoringCopier(world);
    const parts = ['a', 'b', 'c'].map((path) => listedPart(path, { racy: path === 'c' }));
    world.source = new ListedSource({ 0: parts });
    await world.snapshot({ type: 'full', execution: 'run-0' });
    const merged = await mergedRecord(
      await mergeAll(world, await world.snapshot({ type: 'incremental', execution: 'run-1' })),
    );
    world.source = new ListedSource({
      0: [listedPart('a'), listedPart('b', { token: 'file:10:2:2:b' }), listedPart('c')],
    });
    const next = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    expect(next).toMatchObject({
      base: merged.snapshot,
      full: merged.snapshot,
      chain: [merged.snapshot, next.snapshot],
    });
    const stored = (await linesOf(world, next, 0)).map((line) => [line.path, !isDirectoryLine(line) && line.in]);
    expect(stored).toEqual([
      ['a', merged.snapshot],
      ['b', next.snapshot],
      // Its token could not be trusted when it was listed, and a merge does not make it better.
      ['c', next.snapshot],
    ]);
    const differential = await world.snapshot({ type: 'differential', execution: 'run-3' });
    expect(differential).toMatchObject({ type: 'differential', base: merged.snapshot });
  });
});

describe('the steps of a merge', () => {
  const paths = Array.from(
    { length: BATCH_LIMITS.maxParts + 1 },
    (_, index) => `rank-1/p${String(index).padStart(5, '0')}`,
  );

  it('cut copies into batches and spread them over the ranks', async () => {
    const world = new MaintainWorld();
    for (const path of paths) {
      world.tree.write('main', path, Buffer.from(path));
    }
    await world.snapshot({ type: 'full', execution: 'run-0' });
    await world.snapshot({ type: 'incremental', execution: 'run-1' });
    world.clock.advanceMinutes(1);
    const merge = await planOfMerge(world, { execution: 'merge-1' });
    const copies = await merge.list();
    expect(copies).toMatchObject({ batches: 5, ranks: 4, parts: paths.length + 5 });
    expect((await merge.batches()).map(({ rank }) => rank)).toEqual([0, 1, 2, 'cluster', 1]);
  });

  it('may stop after each part, and are the same in the end', async () => {
    const world = new MaintainWorld();
    const { third } = await takeChain(world);
    const merge = await planOfMerge(world, { execution: 'merge-1', shouldStop: impatient() });
    await merge.upToCommit();
    await merge.verify();
    await assertSameButWhere(merge, third);
  });

  it.each(['twice', 'beside its ghost'] as const)('may each be done %s', async (invoked) => {
    const world = new MaintainWorld();
    const { third } = await takeChain(world);
    const merge = await planOfMerge(world, { execution: 'merge-1', invoked });
    await merge.upToCommit();
    await merge.verify();
    await assertSameButWhere(merge, third);
    expect(await readSnapshots(world.vault, 'prod')).toHaveLength(4);
  });

  it('do nothing when there is no time at all', async () => {
    const world = new MaintainWorld();
    await takeChain(world);
    const merge = await planOfMerge(world, { execution: 'merge-1' });
    await merge.list();
    const before = world.vault.keys();
    expect(await merge.copyOnce(always)).toEqual({ done: false });
    expect(world.vault.keys()).toEqual(before);
  });
});

/** Stops early at first, then later and later, so that also work that must be done in one go gets done. */
function impatient(): () => boolean {
  let asked = 0;
  let patience = 1;
  return () => {
    asked += 1;
    if (asked <= patience) {
      return false;
    }
    asked = 0;
    patience += 1;
    return true;
  };
}
