import { describe, expect, it } from 'vitest';
import { TargetNotEmpty, TargetRunning, TopologyMismatch } from '../../../core/errors.ts';
import { assertStopped, inspectTarget } from '../../../core/jobs/inspect-target.ts';
import { markTarget } from '../../../core/jobs/mark-target.ts';
import type { RestorePlan } from '../../../core/run.ts';
import { InMemoryClusterControl } from '../../support/in-memory-cluster-control.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { JobWorld, sampleTree } from '../../support/job-world.ts';
import { type RestoreOrder, RestoreWorld } from '../../support/restore-world.ts';

const emptyTree = (rank?: number) =>
  new InMemoryTree([
    {
      name: 'main',
      exclude: [],
      ...(rank === undefined ? { pattern: 'rank-{rank}/tom-{tom}' } : { pattern: 'tom-{tom}', rank }),
    },
  ]);

function never(): never {
  throw new Error('No marker was left.');
}

async function scene(order: Partial<RestoreOrder> = {}, tree = emptyTree()) {
  const world = new JobWorld();
  await world.snapshot({ type: 'full', execution: 'run-1' });
  const restores = new RestoreWorld(world, tree);
  const plan = await restores.plan({ policy: 'none', execution: 'restore-1', ...order });
  const inspect = (changed: RestorePlan = plan) => inspectTarget(restores.of(plan), changed);
  return { world, restores, plan, inspect };
}

describe('inspecting a target', () => {
  it('that is empty answers that the restore may begin', async () => {
    const { inspect, plan } = await scene();
    expect(await inspect()).toEqual({ stopped: 'declared', resumed: false, label: plan.run.nonce });
  });

  it('refuses files under policy none and names one', async () => {
    const { inspect } = await scene({}, sampleTree());
    await expect(inspect()).rejects.toThrow(TargetNotEmpty);
    await expect(inspect()).rejects.toThrow(
      'holds meta.mdb, and policy "none" restores into empty ranks only. Use policy "replace"',
    );
  });

  it('refuses files of no rank under policy none', async () => {
    const tree = emptyTree();
    tree.write('main', 'leftover.conf', Buffer.from('x'));
    const { inspect } = await scene({}, tree);
    await expect(inspect()).rejects.toThrow('Rank cluster of cluster');
  });

  it.each(['replace', 'rename'] as const)('takes files under policy %s', async (policy) => {
    const { inspect } = await scene({ policy }, sampleTree());
    expect(await inspect()).toMatchObject({ resumed: false });
  });

  it('refuses other ranks than the snapshot’s and names both', async () => {
    const tree = emptyTree();
    tree.write('main', 'rank-0/x', Buffer.from('x'));
    tree.write('main', 'rank-7/x', Buffer.from('x'));
    const { inspect } = await scene({ policy: 'replace' }, tree);
    await expect(inspect()).rejects.toThrow(TopologyMismatch);
    await expect(inspect()).rejects.toThrow("The snapshot has ranks 0, 1, 2; cluster 'dr' has ranks 0, 7.");
  });

  it('takes a target of which whole ranks are lost', async () => {
    const tree = emptyTree();
    tree.write('main', 'rank-0/x', Buffer.from('x'));
    tree.write('main', 'rank-2/x', Buffer.from('x'));
    const { inspect } = await scene({ policy: 'replace' }, tree);
    await expect(inspect()).resolves.toMatchObject({ resumed: false });
  });

  it('takes a root of one rank whose new disk is empty', async () => {
    const tree = new InMemoryTree(
      [0, 1, 2].map((rank) => ({ name: `root-${rank}`, pattern: 'tom-{tom}', rank, exclude: [] })),
    );
    tree.write('root-0', 'x', Buffer.from('x'));
    tree.write('root-2', 'x', Buffer.from('x'));
    const { inspect } = await scene({ policy: 'replace' }, tree);
    await expect(inspect()).resolves.toMatchObject({ resumed: false });
  });

  it('refuses other ranks or TOMs than are configured for the target', async () => {
    const { inspect, plan } = await scene({ policy: 'replace' });
    const topology = { ranks: [0, 1, 2], tomsPerRank: 2 };
    const ranks = [{ rank: 0 }, { rank: 1, toms: [0] }, { rank: 2, toms: [0, 1] }];
    const known = { ...plan, topology: { from: 'config' as const, ranks }, cluster: { ...plan.cluster, topology } };
    await expect(inspect(known)).rejects.toThrow(
      "The snapshot has ranks 0, 1 (TOMs 0), 2 (TOMs 0, 1); cluster 'dr' has ranks 0, 1 (TOMs 0, 1)",
    );
    await expect(inspect({ ...plan, cluster: { ...plan.cluster, topology } })).resolves.toMatchObject({
      resumed: false,
    });
  });

  it('refuses a rank that no root takes', async () => {
    const { inspect } = await scene({}, emptyTree(0));
    await expect(inspect()).rejects.toThrow("No root of cluster 'dr' takes rank 1, 2 of the snapshot");
  });

  it('keeps what it found first: a late ghost does not take our own marker for an earlier try’s', async () => {
    const { inspect, restores, plan } = await scene();
    const first = await inspect();
    await markTarget(restores.of(plan), plan, 'placing');
    restores.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('restored'));
    expect(await inspect()).toEqual(first);
  });
});

describe('inspecting a target in which a restore has begun', () => {
  const died = { policy: 'rename' as const, execution: 'restore-0' };

  it.each([
    ['aside', false],
    ['data', true],
    ['activation', true],
  ] as const)('goes on under its label when it died before %s', async (dieBefore, resumed) => {
    const { world, restores } = await scene({}, sampleTree());
    await restores.restore({ ...died, cluster: 'prod', dieBefore });
    const [dead] = await restores.target.readMarkers();
    const plan = await restores.plan({ policy: 'rename', execution: 'restore-2', cluster: 'held' });
    const label = dead?.marker.label;
    expect(label).not.toBe(plan.run.nonce);
    expect(await inspectTarget(restores.of(plan), plan)).toEqual({ stopped: 'declared', resumed, label });
    expect(world.vault.keys().some((key) => key.startsWith('.rankvault/restored/prod/'))).toBe(true);
  });

  it('begins anew for another snapshot', async () => {
    const { world, restores } = await scene({}, sampleTree());
    await restores.restore({ ...died, cluster: 'prod', dieBefore: 'activation' });
    await world.snapshot({ type: 'full', execution: 'run-2' });
    const plan = await restores.plan({ policy: 'rename', execution: 'restore-2', cluster: 'held' });
    expect(await inspectTarget(restores.of(plan), plan)).toMatchObject({
      resumed: false,
      label: plan.run.nonce,
    });
  });

  it.each([
    ['rename', 'replace'],
    ['replace', 'rename'],
  ] as const)('by policy %s begins anew by policy %s', async (first, second) => {
    const { restores } = await scene({}, sampleTree());
    await restores.restore({ policy: first, execution: 'restore-0', cluster: 'prod', dieBefore: 'activation' });
    const plan = await restores.plan({ policy: second, execution: 'restore-2', cluster: 'held' });
    expect(await inspectTarget(restores.of(plan), plan)).toMatchObject({ resumed: false, label: plan.run.nonce });
  });

  it('by policy rename does not pass for a begun one of policy none', async () => {
    const { restores } = await scene({}, sampleTree());
    await restores.restore({ ...died, cluster: 'prod', dieBefore: 'activation' });
    const plan = await restores.plan({ policy: 'none', execution: 'restore-2', cluster: 'held' });
    await expect(inspectTarget(restores.of(plan), plan)).rejects.toThrow(TargetNotEmpty);
  });

  it('takes a marker that names no policy for one of rename', async () => {
    const { restores } = await scene({}, sampleTree());
    await restores.restore({ ...died, cluster: 'prod', dieBefore: 'activation' });
    const [dead] = await restores.target.readMarkers();
    const { policy: _policy, ...rest } = dead?.marker ?? never();
    await restores.target.writeMarkers({ ...rest, execution: 'older' });
    const plan = await restores.plan({ policy: 'rename', execution: 'restore-2', cluster: 'held' });
    expect(await inspectTarget(restores.of(plan), plan)).toMatchObject({ resumed: true, label: rest.label });
  });
});

describe('proving that the target is stopped', () => {
  it.each([
    ['stopped', false, 'proven'],
    ['stopped', true, 'proven'],
    ['unknown', true, 'declared'],
  ] as const)('%s, declared %s: %s', async (verdict, targetIsStopped, answer) => {
    const { plan } = await scene();
    const control = new InMemoryClusterControl();
    control.isStopped = () => Promise.resolve(verdict);
    expect(await assertStopped(control, { ...plan, options: { ...plan.options, targetIsStopped } })).toBe(answer);
  });

  it('never takes a running target, whatever was declared', async () => {
    const { plan } = await scene();
    await expect(assertStopped(new InMemoryClusterControl(), plan)).rejects.toThrow(TargetRunning);
    await expect(assertStopped(new InMemoryClusterControl(), plan)).rejects.toThrow('is running');
  });

  it('asks for a declaration where nobody can be asked', async () => {
    const { plan } = await scene();
    const undeclared = { ...plan, options: { ...plan.options, targetIsStopped: false } };
    await expect(assertStopped(undefined, undeclared)).rejects.toThrow('{"targetIsStopped":true}');
  });

  it('is not needed for a directory of KAgent, which is filled beside the running cluster', async () => {
    const { plan } = await scene();
    expect(await assertStopped(new InMemoryClusterControl(), { ...plan, source: { kind: 'kagent' } })).toBe(
      'not needed',
    );
  });
});
