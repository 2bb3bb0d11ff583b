import { describe, expect, it } from 'vitest';
import { PathCollision, TopologyMismatch } from '../../../core/errors.ts';
import { inspectTarget } from '../../../core/jobs/inspect-target.ts';
import { planRestoreBatches } from '../../../core/jobs/plan-restore-batches.ts';
import { InMemoryTarget } from '../../support/in-memory-target.ts';
import { InMemoryTree, type RootShape } from '../../support/in-memory-tree.ts';
import { always, JobWorld, never, sampleTree } from '../../support/job-world.ts';
import { RestoreWorld } from '../../support/restore-world.ts';

const PATTERN = 'rank-{rank}/tom-{tom}';

function rootOf(name: string, change: Partial<RootShape> = {}): RootShape {
  return { name, pattern: PATTERN, exclude: [], ...change };
}

/** A tree whose files hold their own paths; keys are `<root>:<path in the root>`. */
function treeOf(shapes: readonly RootShape[], files: readonly string[]): InMemoryTree {
  const tree = new InMemoryTree(shapes);
  for (const file of files) {
    const [root = '', path = ''] = file.split(':');
    tree.write(root, path, Buffer.from(`old ${file}`));
  }
  return tree;
}

function filesIn(tree: InMemoryTree): Record<string, string> {
  const all = tree.roots.flatMap(({ name, files }) =>
    [...files].map(([path, file]) => [`${name}:${path}`, Buffer.from(file.bytes).toString()] as const),
  );
  return Object.fromEntries(all.filter(([path]) => !path.includes(':.rankvault')).sort());
}

const colliding = () =>
  treeOf([rootOf('main')], ['main:rank-1/c', 'main:rank-1/c-d', 'main:rank-1/c.e', 'main:rank-1/c/d/e']);

/** A snapshot of the source, about to be restored into the target. */
async function restoring(
  source: InMemoryTree,
  target: InMemoryTree,
  options: { readonly isFileSystem?: boolean } = {},
) {
  const world = new JobWorld({ tree: source });
  await world.snapshot({ type: 'full', execution: 'run-1' });
  const restores = new RestoreWorld(world, target);
  restores.target = new InMemoryTarget(target, world.vault, options);
  return restores;
}

describe('comparing refuses, before anything is changed, a target that', () => {
  const atRank1 = (name: string) => rootOf(name, { pattern: 'tom-{tom}', rank: 1 });
  const atRank0 = (name: string) => rootOf(name, { pattern: 'tom-{tom}', rank: 0 });

  it.each([
    [
      'has several roots, none of the snapshot’s name',
      treeOf([rootOf('persist')], ['persist:rank-0/m', 'persist:rank-1/tom-0/x']),
      treeOf([rootOf('a'), rootOf('b')], ['a:rank-0/old', 'b:rank-1/tom-0/x']),
    ],
    [
      'has a root of the right name for another rank',
      treeOf([rootOf('persist')], ['persist:rank-0/m', 'persist:rank-1/tom-0/x']),
      treeOf([atRank0('persist'), atRank1('p1')], ['persist:old', 'p1:tom-0/old']),
    ],
    [
      'has no root for files of no rank',
      treeOf([rootOf('p1')], ['p1:rank-1/tom-0/x', 'p1:cluster.conf']),
      treeOf([atRank1('p1')], ['p1:tom-0/old']),
    ],
  ])('%s', async (_name, source, target) => {
    const before = filesIn(target);
    const restores = await restoring(source, target);
    const order = { policy: 'replace', execution: 'restore-1' } as const;
    await expect(restores.restore(order)).rejects.toThrow(TopologyMismatch);
    expect(filesIn(target)).toEqual(before);
  });

  it('would have to hold a file and a directory of one name, unless it is on S3', async () => {
    const source = colliding();
    const target = treeOf([rootOf('main')], ['main:rank-1/c', 'main:rank-1/c-d', 'main:rank-1/x']);
    const before = filesIn(target);
    const order = { policy: 'replace', execution: 'restore-1' } as const;
    const onFiles = await restoring(source, target, { isFileSystem: true });
    await expect(onFiles.restore(order)).rejects.toThrow(PathCollision);
    expect(filesIn(target)).toEqual(before);
    await (await restoring(source, target)).restore(order);
    expect(filesIn(target)).toEqual(filesIn(source));
  });

  it('would have to hold a file and a directory of one name, also when it stops between the two', async () => {
    const restores = await restoring(colliding(), treeOf([rootOf('main')], []), { isFileSystem: true });
    const plan = await restores.plan({ policy: 'none', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await expect(restores.compare(plan, always)).rejects.toThrow(PathCollision);
  });
});

describe('what the target excludes', () => {
  const exclude = ['cluster.conf', 'rank-*/tom-*/b.seg'];
  const excluding = (files: readonly string[]) => treeOf([rootOf('main', { exclude })], files);

  it.each(['replace', 'rename'] as const)('stays as it is with policy %s', async (policy) => {
    const kept = {
      'main:cluster.conf': 'old main:cluster.conf',
      'main:rank-1/tom-1/b.seg': 'old main:rank-1/tom-1/b.seg',
    };
    const target = excluding([...Object.keys(kept), 'main:rank-1/tom-0/a.seg', 'main:rank-2/extra']);
    const source = sampleTree();
    const report = await (await restoring(source, target)).restore({ policy, execution: 'restore-1' });
    expect(filesIn(target)).toEqual({ ...filesIn(source), ...kept });
    expect(report).toMatchObject({ excluded: 2, placed: 3 });
  });

  it('is not made where it is missing', async () => {
    const target = excluding([]);
    await (await restoring(sampleTree(), target)).restore({ policy: 'none', execution: 'restore-1' });
    expect(Object.keys(filesIn(target))).toEqual([
      'main:rank-0/meta.mdb',
      'main:rank-1/tom-0/a.seg',
      'main:rank-2/tom-0/c.seg',
    ]);
  });

  it.each([
    ['in one go', never],
    ['entry by entry', always],
  ])('is counted in what the restore says it will do, compared %s', async (_name, shouldStop) => {
    const restores = await restoring(sampleTree(), excluding(['main:rank-1/tom-1/b.seg']));
    const plan = await restores.plan({ policy: 'replace', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await restores.compare(plan, shouldStop);
    const { todo } = await planRestoreBatches(restores.of(plan), plan);
    expect(todo).toMatchObject({ place: 3, excluded: 2, unchanged: 0, remove: 0 });
  });
});
