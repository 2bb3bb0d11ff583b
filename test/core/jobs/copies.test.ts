import { describe, expect, it } from 'vitest';
import { WINDOW_LIMITS } from '../../../core/batching.ts';
import { completedLines, readEnumeration } from '../../../core/draft-io.ts';
import { NothingToBackUp, PartChanged, QuiesceLost, RankMissing, RecordMissing } from '../../../core/errors.ts';
import { copyParts } from '../../../core/jobs/copy-parts.ts';
import { planCopies } from '../../../core/jobs/plan-copies.ts';
import type { BatchItem, SnapshotPlan } from '../../../core/run.ts';
import { collect } from '../../support/byte-streams.ts';
import { InMemoryPartCopier } from '../../support/in-memory-part-copier.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { JobWorld, never } from '../../support/job-world.ts';
import { ListedSource, listedPart } from '../../support/listed-source.ts';

async function enumerated(files: readonly string[], backup = 'prod'): Promise<{ world: JobWorld; plan: SnapshotPlan }> {
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
  for (const path of files) {
    tree.write('main', path, Buffer.from(path));
  }
  const world = new JobWorld({ tree });
  const plan = await world.plan({ backup, type: 'full', execution: 'run-1' });
  await world.inspect(plan);
  return { world, plan };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `rank-0/p${String(index).padStart(5, '0')}`);

async function onlyBatch(world: JobWorld, plan: SnapshotPlan): Promise<BatchItem> {
  const [item] = await world.batches(plan, plan.run.warmPass ? 'warm' : 'final');
  if (item === undefined) {
    throw new Error('There is no batch.');
  }
  return item;
}

describe('planning the copies', () => {
  it('lists the batches interleaved over the ranks, with what there is to copy', async () => {
    const { world, plan } = await enumerated([...many(1500), 'rank-1/a', 'rank-2/b', 'conf']);
    const copies = await world.enumerateAll(plan, 'final');
    expect(copies).toMatchObject({ batches: 5, ranks: 4, parts: 1503, copyParts: 1503, removedParts: 0 });
    expect((await world.batches(plan, 'final')).map(({ rank }) => rank)).toEqual([0, 1, 2, 'cluster', 0]);
  });

  it('refuses a rank of which nothing is there', async () => {
    const { world, plan } = await enumerated(['rank-0/a', 'rank-1/b']);
    world.tree.remove('main', 'rank-1/b');
    await expect(world.enumerateAll(plan, 'final')).rejects.toThrow(RankMissing);
  });

  it('takes no files outside of ranks for nothing missing', async () => {
    const { world, plan } = await enumerated(['rank-0/a']);
    expect(await world.enumerateAll(plan, 'final')).toMatchObject({ batches: 1, ranks: 2 });
  });

  it('refuses an empty source', async () => {
    const { world, plan } = await enumerated([]);
    await expect(world.enumerateAll(plan, 'final')).rejects.toThrow(NothingToBackUp);
  });

  it('fails when a rank was not enumerated, or the list of ranks is gone', async () => {
    const { world, plan } = await enumerated(['rank-0/a']);
    await expect(planCopies(world.of(plan), plan, 'final')).rejects.toThrow('the rank was not enumerated');
    await world.work.delete(plan.run.ranksKey);
    await expect(planCopies(world.of(plan), plan, 'final')).rejects.toThrow(RecordMissing);
  });
});

describe('copying a batch', () => {
  const twoWindows = many(WINDOW_LIMITS.maxParts + 10);

  it('writes the receipts of each window when it is complete, and goes on after the last one', async () => {
    const { world, plan } = await enumerated(twoWindows);
    await world.enumerateAll(plan, 'final');
    const item = await onlyBatch(world, plan);
    const copied: string[] = [];
    const copier = new InMemoryPartCopier(world.tree, world.vault);
    world.copier = {
      copy: (task) => {
        copied.push(task.part.path);
        return copier.copy(task);
      },
    };
    const request = { run: plan.run, pass: 'final' as const, item };
    const receipts = () => world.work.keys().filter((key) => key.includes('/receipts/'));
    expect(await copyParts(world.of(plan), { ...request, shouldStop: () => receipts().length > 0 })).toEqual({
      done: false,
    });
    expect([copied.length, receipts().length]).toEqual([WINDOW_LIMITS.maxParts, 1]);
    expect(await copyParts(world.of(plan), { ...request, shouldStop: never })).toEqual({ done: true });
    expect([copied.length, receipts().length]).toEqual([twoWindows.length, 2]);
    expect(await copyParts(world.of(plan), { ...request, shouldStop: never })).toEqual({ done: true });
    expect(copied).toHaveLength(twoWindows.length);
  });

  it('writes no receipts for a window that it did not finish', async () => {
    const { world, plan } = await enumerated(['rank-0/a', 'rank-0/b']);
    await world.enumerateAll(plan, 'final');
    const request = { run: plan.run, pass: 'final' as const, item: await onlyBatch(world, plan) };
    let asked = 0;
    const shouldStop = () => asked++ > 1;
    expect(await copyParts({ ...world.of(plan), concurrency: 1 }, { ...request, shouldStop })).toEqual({ done: false });
    expect(world.work.keys().filter((key) => key.includes('/receipts/'))).toEqual([]);
  });

  it('may be done by two at the same time', async () => {
    const { world, plan } = await enumerated(twoWindows);
    await world.enumerateAll(plan, 'final');
    const request = { run: plan.run, pass: 'final' as const, item: await onlyBatch(world, plan), shouldStop: never };
    await Promise.all([copyParts(world.of(plan), request), copyParts(world.of(plan), request)]);
    const record = await world.finish(plan);
    expect(record.totals).toMatchObject({ parts: twoWindows.length, storedParts: twoWindows.length });
  });

  it('fails when a part has changed or is gone, unless it is the warm pass', async () => {
    const { world, plan } = await enumerated(['rank-0/a', 'rank-0/b', 'rank-0/c'], 'held');
    await world.enumerateAll(plan, 'warm');
    world.tree.write('main', 'rank-0/a', Buffer.from('changed'));
    world.tree.remove('main', 'rank-0/b');
    await world.copyAll(plan, 'warm');
    const enumeration = await readEnumeration(world.of(plan), 'warm', 0);
    const lines = await collect(completedLines(world.of(plan), 'warm', enumeration));
    expect(lines.map(({ path }) => path)).toEqual(['c']);
    await world.enumerateAll(plan, 'final');
    world.tree.write('main', 'rank-0/a', Buffer.from('changed again'));
    await expect(world.copyAll(plan, 'final')).rejects.toThrow(PartChanged);
  });

  it('stores both versions of a part that changed between the passes, and the snapshot names the later', async () => {
    const { world, plan } = await enumerated(['rank-0/a'], 'held');
    await world.enumerateAll(plan, 'warm');
    await world.copyAll(plan, 'warm');
    world.tree.write('main', 'rank-0/a', Buffer.from('later'));
    await world.enumerateAll(plan, 'final');
    await world.copyAll(plan, 'final');
    const [line] = await collect(
      completedLines(world.of(plan), 'final', await readEnumeration(world.of(plan), 'final', 0)),
    );
    expect(line).toMatchObject({ path: 'a', key: expect.stringContaining('/.rewritten/') });
  });
});

describe('fencing a rank', () => {
  async function fenced(change: (tree: InMemoryTree) => void) {
    const { world, plan } = await enumerated(['rank-0/a', 'rank-0/b', 'rank-0/c', 'rank-0/d']);
    await world.enumerateAll(plan, 'final');
    change(world.tree);
    return { world, plan };
  }

  it('passes when nothing has changed, in one go and entry by entry', async () => {
    const { world, plan } = await fenced(() => undefined);
    await world.fence(plan, 0);
    await world.fence(plan, 0, () => true);
  });

  it.each<[string, (tree: InMemoryTree) => void, string]>([
    ['is new', (tree) => tree.write('main', 'rank-0/bb', Buffer.from('x')), 'bb is new'],
    ['is gone', (tree) => tree.remove('main', 'rank-0/d'), 'd is gone'],
    ['has changed', (tree) => tree.write('main', 'rank-0/a', Buffer.from('rank-0/a')), 'a has changed'],
  ])('finds a part that %s', async (_what, change, message) => {
    const { world, plan } = await fenced(change);
    await expect(world.fence(plan, 0)).rejects.toThrow(QuiesceLost);
    await expect(world.fence(plan, 0, () => true)).rejects.toThrow(message);
  });

  it('names three differences and says who may be at fault', async () => {
    const { world, plan } = await fenced((tree) => {
      for (const name of ['a', 'b', 'c', 'd']) {
        tree.remove('main', `rank-0/${name}`);
      }
    });
    await expect(world.fence(plan, 0)).rejects.toThrow(
      'a is gone, b is gone, c is gone. Nothing was committed. This cluster has nobody',
    );
    const quiesced = { ...plan, run: { ...plan.run, quiesce: true } };
    await expect(world.fence(quiesced, 0)).rejects.toThrow('Find out who released the cluster');
  });

  it('finds a directory that became a part', async () => {
    const { world, plan } = await enumerated(['rank-0/a']);
    world.source = new ListedSource({ 0: [listedPart('a')] });
    await world.enumerateAll({ ...plan }, 'final');
    world.source = new ListedSource({ 0: [listedPart('a', { token: 'file:10:9:9:a' })] });
    await expect(world.fence(plan, 0)).rejects.toThrow('a has changed');
  });
});
