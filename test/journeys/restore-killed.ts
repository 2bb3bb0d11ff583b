import { expect, test } from 'vitest';
import type { TreeEntry } from '../../local/samples/compare-trees.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { type KillMoment, runAndKill } from './support/kill.ts';
import { expectFailure } from './support/outcomes.ts';
import type { Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
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

/** Killed at the moment, then run again by a new execution: it finishes, and the cluster is what it should be. */
async function killAndRunAgain(scene: Scene, policy: 'replace' | 'rename', moment: KillMoment): Promise<boolean> {
  const { source, target } = scene;
  const before = await scene.reset();
  const input = {
    backup: source.backup,
    cluster: target.cluster,
    options: { policy, targetIsStopped: true },
  };
  const { killed } = await runAndKill(journey, 'Restore', input, moment);
  if (!killed) {
    return false;
  }
  const report = await journey.restore(source, target, { policy });
  const own = await target.readOwn();
  expect(own.filter((path) => !path.startsWith('.rankvault-aside/'))).toEqual([]);
  expectSameTree(scene.wanted, await target.read());
  if (policy === 'rename') {
    await expectAllKept(target, before, own);
  } else {
    expect({ moment, own }).toEqual({ moment, own: [] });
  }
  expect(report.snapshot).toMatch(/^snapshot\./);
  return true;
}

/** When the first try was killed at its very end, its aside directory is done and the second one has another. */
async function expectAllKept(target: Place, before: readonly TreeEntry[], own: readonly string[]): Promise<void> {
  const labels = [...new Set(own.map((path) => path.split('/')[1] ?? ''))];
  const kept = await Promise.all(labels.map((label) => target.readAside(label)));
  const first = kept.find(
    (tree) => tree.length > 0 && tree.every(({ sha256 }) => before.some((old) => old.sha256 === sha256)),
  );
  expectSameBytes(before, first ?? []);
}

const CASES = [
  { kind: 'files', policy: 'replace', first: 1 },
  { kind: 'files', policy: 'rename', first: 2 },
  { kind: 's3', policy: 'replace', first: 2 },
  { kind: 's3', policy: 'rename', first: 1 },
] as const;

/** A step of two: the two policies share the boundaries, so that each kind of target meets all of them. */
test.each(CASES)(
  'a restore into $kind by "$policy" finishes after a death between its invocations',
  async ({ kind, policy, first }) => {
    const scene = await setScene(kind);
    let invocation = first;
    while (await killAndRunAgain(scene, policy, { afterInvocation: invocation })) {
      invocation += 2;
    }
    expect(invocation).toBeGreaterThan(20);
  },
);

/**
 * One death in so many requests: a sample, since there are some two hundred for each of the four cases. `npm run test:kill` dies at
 * every single one.
 */
const EVERY = Number(process.env['RANKVAULT_KILL_EVERY'] ?? 47);

test.each(CASES)(
  'a restore into $kind by "$policy" finishes after a death in the middle of an invocation',
  async ({ kind, policy, first }) => {
    const scene = await setScene(kind);
    let request = EVERY === 1 ? 1 : 12 * first;
    while (await killAndRunAgain(scene, policy, { atRequest: request })) {
      request += EVERY;
    }
    expect(request).toBeGreaterThan(100);
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
  await runAndKill(journey, 'Restore', input, { afterInvocation: 14 });
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
