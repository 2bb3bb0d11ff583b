import { describe, expect, it } from 'vitest';
import { findNewestRestore } from '../../../core/catalog.ts';
import { CatalogCorrupt, ChecksumMismatch, RecordMissing, VaultPartMissing } from '../../../core/errors.ts';
import { compareRank } from '../../../core/jobs/compare-rank.ts';
import { finishRestore } from '../../../core/jobs/finish-restore.ts';
import { inspectTarget } from '../../../core/jobs/inspect-target.ts';
import { planRestoreBatches } from '../../../core/jobs/plan-restore-batches.ts';
import { restoreParts } from '../../../core/jobs/restore-parts.ts';
import { RESTORE_PHASES } from '../../../core/run.ts';
import { manifestKey, partKey } from '../../../core/vault-layout.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { always, JobWorld, never, readBatchList, sampleTree } from '../../support/job-world.ts';
import { RestoreWorld } from '../../support/restore-world.ts';

const emptyTree = (...names: readonly string[]) =>
  new InMemoryTree(
    (names.length === 0 ? ['main'] : names).map((name) => ({ name, pattern: 'rank-{rank}/tom-{tom}', exclude: [] })),
  );

/** What a cluster has in its roots, without what Rankvault keeps there. */
function filesIn(tree: InMemoryTree, withAside = false): Record<string, string> {
  const all = tree.roots.flatMap(({ name, files }) =>
    [...files].map(([path, file]) => [`${name}:${path}`, Buffer.from(file.bytes).toString()] as const),
  );
  return Object.fromEntries(all.filter(([path]) => withAside || !path.includes(':.rankvault')).sort());
}

/** The files as they are once they have been moved to the directory inside their root. */
function movedTo(directory: string | undefined, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path.replace(':', `:${directory}`), text] as const),
  );
}

async function taken(tree?: InMemoryTree) {
  const world = tree === undefined ? new JobWorld() : new JobWorld({ tree });
  const record = await world.snapshot({ type: 'full', execution: 'run-1' });
  return { world, record, files: filesIn(world.tree) };
}

/** A target that differs from the sample in every way. */
function differingTree(): InMemoryTree {
  const tree = sampleTree();
  tree.write('main', 'rank-0/meta.mdb', Buffer.from('other meta'));
  tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('FIRST rank-1/tom-0/a.seg'));
  tree.write('main', 'rank-2/tom-0/c.seg', Buffer.from('longer than the one of the snapshot'));
  tree.remove('main', 'rank-1/tom-1/b.seg');
  tree.write('main', 'rank-2/tom-9/extra.seg', Buffer.from('extra'));
  return tree;
}

describe('restoring', () => {
  it('into an empty target places everything, and says so', async () => {
    const { world, record, files } = await taken();
    const tree = emptyTree();
    const report = await new RestoreWorld(world, tree).restore({ policy: 'none', execution: 'restore-1' });
    expect(filesIn(tree, true)).toEqual(files);
    expect(report).toMatchObject({
      placed: 5,
      placedBytes: record.totals.bytes,
      kept: 0,
      movedAside: 0,
      removed: 0,
      seconds: 0,
    });
    expect(report?.next).toBe("Start cluster 'dr'; its next snapshot will be a full.");
  });

  it('over other files replaces what differs, keeps what is right, removes what is extra', async () => {
    const { world, files } = await taken();
    const tree = differingTree();
    const report = await new RestoreWorld(world, tree).restore({ policy: 'replace', execution: 'restore-1' });
    expect(filesIn(tree, true)).toEqual(files);
    // Placed: the head's and the cluster's file, which are always; a.seg by checksum, c.seg by size, b.seg because it is missing.
    expect(report).toMatchObject({ placed: 5, kept: 0, movedAside: 2, removed: 1 });
  });

  it('over equal files places only what lets a server start', async () => {
    const { world } = await taken();
    const report = await new RestoreWorld(world, sampleTree()).restore({ policy: 'replace', execution: 'restore-1' });
    expect(report).toMatchObject({ placed: 2, kept: 3, movedAside: 2, removed: 0 });
  });

  it('with policy rename keeps every old file aside', async () => {
    const { world, files } = await taken();
    const tree = differingTree();
    const before = filesIn(tree);
    const report = await new RestoreWorld(world, tree).restore({ policy: 'rename', execution: 'restore-1' });
    expect(report).toMatchObject({
      aside: expect.stringMatching(/^\.rankvault-aside\/[0-9a-f]{24}\/$/),
      movedAside: Object.keys(before).length,
    });
    expect(filesIn(tree, true)).toEqual({ ...files, ...movedTo(report?.aside, before) });
  });

  it.each(['replace', 'rename'] as const)(
    'with policy %s finishes when it is run again, wherever it died',
    async (policy) => {
      for (const dieBefore of [...RESTORE_PHASES, 'done'] as const) {
        const { world, files } = await taken();
        const tree = differingTree();
        const before = filesIn(tree);
        const restores = new RestoreWorld(world, tree);
        expect(await restores.restore({ policy, execution: 'restore-1', dieBefore })).toBeUndefined();
        const [dead] = await restores.target.readMarkers();
        const aside = movedTo(`.rankvault-aside/${dead?.marker.label}/`, before);
        await restores.restore({ policy, execution: 'restore-2' });
        expect(filesIn(tree, true)).toEqual({ ...files, ...(policy === 'rename' ? aside : {}) });
      }
    },
  );

  it.each([
    ['rename', 'replace'],
    ['rename', 'none'],
    ['replace', 'rename'],
  ] as const)(
    'begun with policy %s and finished with %s deletes nothing that was kept aside',
    async (first, second) => {
      const { world, files } = await taken();
      const tree = differingTree();
      const before = filesIn(tree);
      const restores = new RestoreWorld(world, tree);
      await restores.restore({ policy: first, execution: 'restore-1', dieBefore: 'data' });
      const then = filesIn(tree);
      const kept = Object.fromEntries(Object.entries(filesIn(tree, true)).filter(([path]) => path.includes('-aside/')));
      expect(Object.keys(kept)).toHaveLength(first === 'rename' ? Object.keys(before).length : 2);
      const report = await restores.restore({ policy: second, execution: 'restore-2' });
      const aside = second === 'rename' ? movedTo(report?.aside, then) : {};
      expect(filesIn(tree, true)).toEqual({ ...files, ...kept, ...aside });
    },
  );

  it('goes on under a name that could not name a directory', async () => {
    const { world, files } = await taken();
    const tree = differingTree();
    const restores = new RestoreWorld(world, tree);
    await restores.restore({ policy: 'replace', execution: 'dr@2026', dieBefore: 'data' });
    await restores.restore({ policy: 'replace', execution: 'dr@2026-2' });
    expect(filesIn(tree, true)).toEqual(files);
  });

  it('with policy none finishes when it is run again, wherever it died', async () => {
    for (const dieBefore of [...RESTORE_PHASES, 'done'] as const) {
      const { world, files } = await taken();
      const tree = emptyTree();
      const restores = new RestoreWorld(world, tree);
      await restores.restore({ policy: 'none', execution: 'restore-1', dieBefore });
      await restores.restore({ policy: 'none', execution: 'restore-2' });
      expect(filesIn(tree, true)).toEqual(files);
    }
  });

  it('puts a part that has moved to another root back where it was', async () => {
    const source = emptyTree('hot', 'cold');
    for (const [root, path] of [
      ['hot', 'rank-0/m'],
      ['hot', 'rank-1/tom-0/a'],
      ['cold', 'rank-1/tom-0/b'],
    ] as const) {
      source.write(root, path, Buffer.from(`${root} ${path}`));
    }
    const { world, files } = await taken(source);
    const target = emptyTree('hot', 'cold');
    target.write('hot', 'rank-0/m', Buffer.from('old'));
    target.write('cold', 'rank-1/tom-0/a', Buffer.from('hot rank-1/tom-0/a'));
    const roots = ['hot', 'cold'].map((name) => ({
      name,
      url: `s3://clusters/${name}`,
      pattern: 'rank-{rank}/tom-{tom}',
      exclude: [],
    }));
    Object.assign(world.config.clusters['dr'] ?? {}, { roots });
    await new RestoreWorld(world, target).restore({ policy: 'replace', execution: 'restore-1' });
    expect(filesIn(target, true)).toEqual(files);
  });

  it('stops and goes on after any single window', async () => {
    const { world, files } = await taken();
    const tree = differingTree();
    let asked = 0;
    const shouldStop = () => asked++ % 7 === 6;
    await new RestoreWorld(world, tree).restore({ policy: 'replace', execution: 'restore-1', shouldStop });
    expect(filesIn(tree)).toEqual(files);
  });

  it('notes in the vault that the cluster is restored, by the time at which that begins', async () => {
    const { world } = await taken();
    const restores = new RestoreWorld(world, sampleTree());
    const plan = await restores.plan({ policy: 'replace', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await restores.compare(plan);
    world.clock.advanceMinutes(3);
    await planRestoreBatches(restores.of(plan), plan);
    expect(await findNewestRestore(world.vault, 'dr')).toBe('2026-01-31T22:04:00.000Z');
  });

  it('in a dry run notes nothing and tells what it would do', async () => {
    const { world } = await taken();
    const restores = new RestoreWorld(world, differingTree());
    const plan = await restores.plan({ policy: 'replace', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await restores.compare(plan);
    const dry = { ...plan, run: { ...plan.run, dryRun: true } };
    const { todo, ...batches } = await planRestoreBatches(restores.of(plan), dry);
    expect(todo).toMatchObject({ place: 4, check: 1, moveAside: 2, remove: 1, unchanged: 0 });
    expect(batches).toEqual({ aside: 2, extras: 1, data: 2, activation: 2, directories: 0 });
    expect(await findNewestRestore(world.vault, 'dr')).toBeUndefined();
  });
});

describe('comparing a rank', () => {
  it('refuses a manifest that is not the one that was committed', async () => {
    const { world, record } = await taken();
    const restores = new RestoreWorld(world, emptyTree());
    const plan = await restores.plan({ policy: 'none', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await world.vault.put(manifestKey('prod', record.snapshot, 1), Buffer.from('rotten'));
    await expect(restores.compare(plan)).rejects.toThrow(CatalogCorrupt);
    await world.vault.delete(manifestKey('prod', record.snapshot, 1));
    await expect(restores.compare(plan)).rejects.toThrow('(no such object)');
  });

  it('gives the same actions in one go and entry by entry', async () => {
    const { world } = await taken();
    const actions = async (execution: string, shouldStop: () => boolean) => {
      const restores = new RestoreWorld(world, differingTree());
      const plan = await restores.plan({ policy: 'replace', execution, cluster: execution });
      await inspectTarget(restores.of(plan), plan);
      await restores.compare(plan, shouldStop);
      const { todo } = await planRestoreBatches(restores.of(plan), plan);
      return todo;
    };
    expect(await actions('dr', always)).toEqual(await actions('prod', never));
  });

  it('keeps what the first invocation that finished wrote', async () => {
    const { world } = await taken();
    const restores = new RestoreWorld(world, differingTree());
    const plan = await restores.plan({ policy: 'replace', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    const request = { plan, rank: 1, progress: { done: false }, shouldStop: never };
    const both = ['ghost', 'ours'].map((invocation) => compareRank(restores.of(plan), { ...request, invocation }));
    expect(await Promise.all(both)).toEqual([{ done: true }, { done: true }]);
  });

  it('fails by name for a rank that the snapshot does not have, and before the target was inspected', async () => {
    const { world } = await taken();
    const restores = new RestoreWorld(world, emptyTree());
    const plan = await restores.plan({ policy: 'none', execution: 'restore-1' });
    const request = { plan, progress: { done: false }, invocation: 'i', shouldStop: never };
    await expect(compareRank(restores.of(plan), { ...request, rank: 9 })).rejects.toThrow('has no rank 9');
    await expect(compareRank(restores.of(plan), { ...request, rank: 1 })).rejects.toThrow(RecordMissing);
    await expect(planRestoreBatches(restores.of(plan), plan)).rejects.toThrow('the rank was not compared');
  });
});

describe('restoring parts', () => {
  async function planned() {
    const { world, record } = await taken();
    const restores = new RestoreWorld(world, emptyTree());
    const plan = await restores.plan({ policy: 'none', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    await restores.compare(plan);
    await planRestoreBatches(restores.of(plan), plan);
    return { world, record, restores, plan };
  }

  it('refuses bytes that are not the recorded ones, or not there', async () => {
    const { world, record, restores, plan } = await planned();
    const key = partKey('prod', record.snapshot, 1, 'tom-0/a.seg');
    await world.vault.delete(key);
    await expect(restores.phase(plan, 'data')).rejects.toThrow(VaultPartMissing);
    const place = restores.target.placePart.bind(restores.target);
    await world.vault.put(key, Buffer.from('rotten'));
    const versionId = (await world.vault.head(key))?.versionId ?? '';
    restores.target.placePart = (rank, line, source) =>
      place(rank, line, source.key === key ? { ...source, versionId } : source);
    await expect(restores.phase(plan, 'data')).rejects.toThrow(ChecksumMismatch);
  });

  it('skips the windows that are done', async () => {
    const { restores, plan } = await planned();
    await restores.phase(plan, 'data');
    for (const path of ['rank-1/tom-0/a.seg', 'rank-2/tom-0/c.seg']) {
      restores.tree.remove('main', path);
    }
    await restores.phase(plan, 'data');
    expect(Object.keys(filesIn(restores.tree))).toEqual(['main:rank-1/tom-1/b.seg']);
  });

  it('stops before a window when there is no time for it', async () => {
    const { world, restores, plan } = await planned();
    const [item] = await readBatchList(world.work, plan.run.dataBatchesKey);
    if (item === undefined) {
      throw new Error('There is no batch.');
    }
    const request = { run: plan.run, phase: 'data' as const, item };
    expect(await restoreParts(restores.of(plan), { ...request, shouldStop: always })).toEqual({ done: false });
    expect(filesIn(restores.tree)).toEqual({});
  });
});

describe('finishing a restore', () => {
  it('tells how KAgent takes over what lies in its directory', async () => {
    const { world } = await taken();
    const restores = new RestoreWorld(world, emptyTree());
    const plan = await restores.plan({ policy: 'none', execution: 'restore-1' });
    await inspectTarget(restores.of(plan), plan);
    const source = {
      kind: 'kagent' as const,
      path: 's3://clusters/kagent',
      pattern: 'rank-{rank}',
      exclude: [],
      settleMinutes: 15,
    };
    const directory = 'snapshot.2026-01-31.20-00-00';
    const staged = { ...plan, source: { kind: 'kagent' as const, directory }, cluster: { ...plan.cluster, source } };
    const report = await finishRestore(restores.of(plan), staged);
    expect(report.next).toBe(`Run: kagent cluster restore --restore-from dr/${directory} dr`);
  });
});
