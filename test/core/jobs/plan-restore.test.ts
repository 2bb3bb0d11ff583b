import { describe, expect, it } from 'vitest';
import { CatalogCorrupt, ClusterBusy, InputInvalid, SnapshotNotFound } from '../../../core/errors.ts';
import { readRankList } from '../../../core/jobs/plan-copies.ts';
import { planRestore } from '../../../core/jobs/plan-restore.ts';
import { ranksKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { holdKey } from '../../../core/work-layout.ts';
import { JobWorld } from '../../support/job-world.ts';

async function taken() {
  const world = new JobWorld();
  const first = await world.snapshot({ type: 'full', execution: 'run-1' });
  world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second'));
  const second = await world.snapshot({ type: 'incremental', execution: 'run-2' });
  return { world, first, second };
}

const INPUT = { backup: 'prod', cluster: 'dr' };
const plan = (world: JobWorld, input: unknown, execution = 'restore-1') =>
  planRestore(world.planning, world.start(execution, input));

describe('planning a restore', () => {
  it('takes the newest snapshot unless told otherwise, holds it, locks the target and says what it may need', async () => {
    const { world, second } = await taken();
    const { run, estimate } = await plan(world, INPUT);
    expect(run).toMatchObject({
      machine: 'Restore',
      snapshot: second.snapshot,
      cluster: 'dr',
      policy: 'none',
      dryRun: false,
    });
    expect(estimate).toMatchObject({ parts: 5, bytes: second.totals.bytes });
    expect(await readRankList(world.work, run.ranksKey)).toEqual([0, 1, 2, 'cluster']);
    const keys = world.work.keys().filter((key) => !key.startsWith('runs/'));
    expect(keys).toEqual([holdKey('prod', second.snapshot, 'arn:restore-1'), 'locks/cluster/dr.json']);
  });

  it.each(['id', 'snapshot'] as const)('finds a snapshot by its %s', async (field) => {
    const { world, first } = await taken();
    expect((await plan(world, { ...INPUT, snapshot: first[field] })).run.snapshot).toBe(first.snapshot);
  });

  it('answers the same plan when it is tried again, also when a newer snapshot came or this one was hidden', async () => {
    const { world, second } = await taken();
    const start = world.start('restore-1', INPUT);
    const first = await planRestore(world.planning, start);
    await world.snapshot({ type: 'incremental', execution: 'run-3' });
    await world.vault.create(tombstoneKey('prod', second.snapshot), Buffer.from('{}'));
    expect(await planRestore(world.planning, start)).toEqual(first);
  });

  it('answers what its ghost has frozen when that was faster', async () => {
    const { world } = await taken();
    const start = world.start('restore-1', INPUT);
    let ghost: unknown;
    world.work.before('create', 'Restore/restore-1/plan.json', async () => {
      // A newer snapshot is "latest" for the ghost.
      await world.snapshot({ type: 'full', execution: 'run-3' });
      ghost = await planRestore(world.planning, start);
    });
    expect(await planRestore(world.planning, start)).toEqual(ghost);
  });

  it('refuses a snapshot that is hidden, and holds nothing then', async () => {
    const { world, second } = await taken();
    await world.vault.create(tombstoneKey('prod', second.snapshot), Buffer.from('{}'));
    await expect(plan(world, { ...INPUT, snapshot: second.snapshot })).rejects.toThrow(SnapshotNotFound);
    expect(world.work.keys().filter((key) => key.startsWith('holds/'))).toEqual([]);
  });

  it('refuses a catalog whose ranks are not those that were committed', async () => {
    const { world, second } = await taken();
    await world.vault.put(ranksKey('prod', second.snapshot), Buffer.from('other'));
    await expect(plan(world, INPUT)).rejects.toThrow(CatalogCorrupt);
  });

  it('refuses a target that a snapshot or another restore has', async () => {
    const { world } = await taken();
    await plan(world, INPUT, 'restore-0');
    world.executions.states.set('arn:restore-0', { status: 'running' });
    await expect(plan(world, INPUT)).rejects.toThrow(ClusterBusy);
    await expect(plan(world, INPUT)).rejects.toThrow("Cluster 'dr' is held by execution restore-0 since");
  });

  it('refuses a target of another kind of source', async () => {
    const { world } = await taken();
    await expect(plan(world, { ...INPUT, cluster: 'vendor' })).rejects.toThrow(
      "was made from the source 'files' and cluster 'vendor' has the source 'kagent'",
    );
  });

  it.each([
    [{ ...INPUT, cluster: 'dc' }, "There is no cluster 'dc'. Known clusters: dr, held, prod, vendor"],
    [{ ...INPUT, snapshot: 'newest' }, 'must be "latest", an id of 13 digits, or a directory'],
    [{ ...INPUT, options: { policy: 'merge' } }, "options.policy is 'merge'; it must be 'none', 'replace' or 'rename'"],
    [{ ...INPUT, objects: ['t'] }, "it has 'objects'"],
    [{ backup: 'prod' }, 'cluster is missing'],
    [null, 'Start it again with an input like'],
  ])('refuses the input %j by name', async (input, message) => {
    const { world } = await taken();
    await expect(plan(world, input)).rejects.toThrow(InputInvalid);
    await expect(plan(world, input)).rejects.toThrow(message);
  });
});
