import { expect, test } from 'vitest';
import type { TreeEntry } from '../../local/samples/compare-trees.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { after, before, crashEverywhere, runAndDie } from './support/crash.ts';
import { journey } from './support/keeping-journey.ts';
import { expectFailure, restored } from './support/outcomes.ts';
import type { Place } from './support/places.ts';
import { expectSameBytes, expectSameTree } from './support/trees.ts';

const TINY = { workers: 1, tomsPerRank: 1, tables: 1, segmentsPerTable: 2, segmentBytes: { medianBytes: 500 } };

interface Scene {
  readonly source: Place;
  readonly target: Place;
  readonly wanted: readonly TreeEntry[];
  /** Fills the target with a cluster of somebody else. */
  readonly reset: () => Promise<readonly TreeEntry[]>;
}

async function setScene(kind: 'files' | 's3'): Promise<Scene> {
  const [source, target] =
    kind === 'files' ? [journey.takeFiles(), journey.takeFiles()] : [journey.takeS3(), journey.takeS3()];
  await new SegmentCluster({ seed: 'killed', ...TINY }, source.tree).create();
  await journey.snapshot(source, 'full');
  return {
    source,
    target,
    wanted: await source.read(),
    reset: async () => {
      await target.wipe();
      await new SegmentCluster({ seed: 'foreign', ...TINY, segmentsPerTable: 3 }, target.tree).create();
      return target.read();
    },
  };
}

/** When the first try was killed at its very end, its aside directory is done and the second one has another. */
async function expectAllKept(target: Place, old: readonly TreeEntry[], own: readonly string[]): Promise<void> {
  const labels = [...new Set(own.map((path) => path.split('/')[1] ?? ''))];
  const kept = await Promise.all(labels.map((label) => target.readAside(label)));
  const first = kept.find(
    (tree) => tree.length > 0 && tree.every(({ sha256 }) => old.some((entry) => entry.sha256 === sha256)),
  );
  expectSameBytes(old, first ?? []);
}

/** Some of the two hundred requests of each, of which one in three changes something. */
const CASES = [
  { kind: 'files', policy: 'replace', sample: [before(30), after(24)] },
  { kind: 'files', policy: 'rename', sample: [before(75), after(33)] },
  { kind: 's3', policy: 'replace', sample: [before(110), after(40)] },
  { kind: 's3', policy: 'rename', sample: [before(140), after(15)] },
] as const;

test.each(CASES)(
  'dying at a request: a restore into $kind by "$policy" finishes when it is run again',
  async ({ kind, policy, sample }) => {
    const scene = await setScene(kind);
    const { source, target } = scene;
    let old: readonly TreeEntry[] = [];
    await crashEverywhere(
      journey,
      {
        machine: 'Restore',
        input: { backup: source.backup, cluster: target.cluster, options: { policy, targetIsStopped: true } },
        reset: async () => {
          old = await scene.reset();
        },
        check: async (view) => {
          expect(restored(view).snapshot).toMatch(/^snapshot\./);
          const own = await target.readOwn();
          expect(own.filter((path) => !path.startsWith('.rankvault-aside/'))).toEqual([]);
          expectSameTree(scene.wanted, await target.read());
          if (policy === 'rename') {
            await expectAllKept(target, old, own);
          } else {
            expect(own).toEqual([]);
          }
        },
      },
      sample,
    );
  },
);

test('a half-restored cluster is refused by Snapshot and by another restore’s policy "none", and a newer restore takes over', async () => {
  const scene = await setScene('files');
  const { source, target } = scene;
  await scene.reset();
  const input = {
    backup: source.backup,
    cluster: target.cluster,
    options: { policy: 'replace', targetIsStopped: true },
  };
  await runAndDie(journey, { machine: 'Restore', input }, before(130));
  expect(await target.readOwn()).toContain('.rankvault-restoring.json');
  expectFailure(await journey.trySnapshot(target, 'full'), {
    error: 'RestoreInProgress',
    problem: /A restore into cluster .* has begun and not finished/,
    hint: /Run the restore again until it finishes/,
  });
  await source.tree.write('rank-1/tom-0/t1/new.seg', [Buffer.from('came later')]);
  await journey.snapshot(source, 'incremental');
  expectFailure(await journey.tryRestore(source, target), {
    error: 'TargetNotEmpty',
    problem: /policy "none" restores into empty ranks only/,
    hint: /Use policy "replace" to overwrite/,
  });
  await journey.restore(source, target, { policy: 'replace' });
  expectSameTree(await source.read(), await target.read());
  // What the dead restore moved aside is not the new one's to delete.
  expect((await target.readOwn()).filter((path) => !path.startsWith('.rankvault-aside/'))).toEqual([]);
});
