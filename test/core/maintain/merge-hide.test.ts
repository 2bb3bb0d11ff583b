import { describe, expect, it } from 'vitest';
import { readSnapshots, readTombstones } from '../../../core/catalog.ts';
import { BackupFrozen, CatalogCorrupt, RecordMissing, SnapshotNotFound } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { mergeVerifiedKey } from '../../../core/jobs/verify-merged-rank.ts';
import { readSweepPlan, sweepPlanKey } from '../../../core/maintain/plan.ts';
import { tombstoneOf, writeTombstone } from '../../../core/maintain/tombstones.ts';
import type { SnapshotRecord } from '../../../core/records.ts';
import { freezeKey, pinKey, ranksKey, recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { backupLockKey, holdKey, holdsPrefix } from '../../../core/work-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { type Merge, type MergeOrder, planOfMerge, takeChain } from '../../support/merge-world.ts';
import { sampleConfig } from '../../support/sample-config.ts';

/** Bytes go as soon as their snapshot is hidden. */
const WITHOUT_WINDOW = sampleConfig({
  backups: { prod: { kind: 'system', cluster: 'prod', retention: { undeleteDays: 0 } } },
});

/** A full and two incrementals, merged, committed and verified. */
async function verified(config = sampleConfig(), order: Partial<MergeOrder> = {}) {
  const world = new MaintainWorld({ config });
  const chain = await takeChain(world);
  const merge = await planOfMerge(world, { execution: 'merge-1', ...order });
  await merge.upToCommit();
  await merge.verify();
  return { world, ...chain, merge, merged: merge.plan.merge.snapshot };
}

async function inTurn(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps) {
    await step();
  }
}

const visible = async (world: MaintainWorld) =>
  (await readSnapshots(world.vault, 'prod')).map(({ snapshot }) => snapshot);

async function hideByHand(world: MaintainWorld, record: SnapshotRecord): Promise<void> {
  const owner = { execution: 'purge-1', executionArn: 'arn:purge-1' };
  const atEpochMillis = world.clock.nowEpochMillis();
  const facts = { action: 'purge' as const, reason: 'test', owner, atEpochMillis, keptForDays: 7 };
  await writeTombstone(world.vault, tombstoneOf(record, facts));
}

const note = (snapshot?: string) =>
  jsonBytes({
    formatVersion: 1,
    backup: 'prod',
    ...(snapshot === undefined ? {} : { snapshot }),
    reason: 'test',
    at: '2026-01-31T22:00:00.000Z',
    execution: 'pin-1',
  });

async function assertNothingHidden(world: MaintainWorld, merge: Merge): Promise<void> {
  const own = (await readTombstones(world.vault, 'prod')).filter(({ execution }) => execution === 'merge-1');
  expect(own).toEqual([]);
  expect(await world.work.head(sweepPlanKey(merge.deps.keys))).toBeUndefined();
}

/** Units that are surveyed for the report alone: what goes when the windows of the sources are over. */
const FORESEEN = 7;

describe('hiding what was merged', () => {
  it('leaves the merged full alone, says why, and keeps every byte for the window', async () => {
    const { world, full, second, third, merge, merged } = await verified();
    expect(await merge.hide()).toEqual({ outcome: 'planned', run: { ...merge.plan.run, units: FORESEEN } });
    expect(await visible(world)).toEqual([merged]);
    const tombstones = await readTombstones(world.vault, 'prod');
    expect(tombstones.map(({ snapshot }) => snapshot)).toEqual([full, second, third].map(({ snapshot }) => snapshot));
    expect(tombstones[1]).toEqual({
      formatVersion: 1,
      backup: 'prod',
      snapshot: second.snapshot,
      action: 'merge',
      reason: `Merged into ${merged}, which shows the moment of ${third.snapshot}.`,
      at: '2026-01-31T22:08:00.000Z',
      execution: 'merge-1',
      executionArn: 'arn:merge-1',
      bytesKeptUntil: '2026-02-07T22:08:00.000Z',
      record: { id: second.id, type: 'incremental', takenAt: second.takenAt, totals: second.totals },
    });
    expect(await readSweepPlan(world.work, merge.deps.keys)).toMatchObject({ units: FORESEEN, directories: [] });
  });

  it('gives back the lock and its hold on the source', async () => {
    const { world, third, merge } = await verified();
    expect(await world.work.head(holdKey('prod', third.snapshot, 'arn:merge-1'))).toBeDefined();
    await merge.hide();
    expect(await world.work.head(backupLockKey('prod'))).toBeUndefined();
    expect(await collect(world.work.list(holdsPrefix('prod', third.snapshot)))).toEqual([]);
  });

  it('frees everything of the sources at once when there is no window', async () => {
    const { world, full, second, third, merge } = await verified(WITHOUT_WINDOW);
    const answer = await merge.hide();
    const { units, directories } = await readSweepPlan(world.work, merge.deps.keys);
    expect(answer).toMatchObject({ run: { units } });
    expect(directories).toEqual(
      [full, second, third].map(({ snapshot }) => ({ backup: 'prod', directory: snapshot, dead: true, referrers: [] })),
    );
  });

  it('leaves a pinned source visible', async () => {
    const { world, second, merge, merged } = await verified();
    await world.vault.create(pinKey('prod', second.snapshot), note(second.snapshot));
    await merge.hide();
    expect(await visible(world)).toEqual([second.snapshot, merged]);
  });

  it.each(['commit', 'hiding'])('keeps what a snapshot names that was committed before the %s', async (when) => {
    const world = new MaintainWorld({ config: WITHOUT_WINDOW });
    const chain = await takeChain(world);
    const merge = await planOfMerge(world, { execution: 'merge-1' });
    const steps = [merge.list, merge.copy, merge.seal, merge.commit, merge.verify].map((step) => step.bind(merge));
    const before = steps.splice(0, when === 'commit' ? 2 : 5);
    await inTurn(before);
    world.tree.write('main', 'rank-2/tom-0/c.seg', Buffer.from('fourth'));
    const fourth = await world.snapshot({ type: 'incremental', execution: 'run-3' });
    await inTurn(steps);
    const merged = merge.plan.merge.snapshot;
    expect(fourth.base).toBe(when === 'commit' ? chain.third.snapshot : merged);
    await merge.hide();
    expect(await visible(world)).toEqual([merged, fourth.snapshot]);
    const { directories } = await readSweepPlan(world.work, merge.deps.keys);
    const referrers = when === 'commit' ? [fourth.snapshot] : [];
    expect(directories).toEqual(
      Object.values(chain).map(({ snapshot }) => ({ backup: 'prod', directory: snapshot, dead: true, referrers })),
    );
  });

  it('waits while a snapshot of the backup runs, and hides nothing', async () => {
    const { world, merge } = await verified();
    world.clock.advanceMinutes(1);
    const running = await world.plan({ type: 'incremental', execution: 'run-3' });
    world.executions.states.set(running.run.executionArn, { status: 'running' });
    expect(await merge.hide()).toEqual({ outcome: 'wait', waitSeconds: 120 });
    await assertNothingHidden(world, merge);
  });

  it.each(['twice', 'beside its ghost'] as const)('may be done %s', async (invoked) => {
    const { world, merge, merged } = await verified(sampleConfig(), { invoked });
    expect(await merge.hideUntilDone()).toEqual({ outcome: 'planned', run: { ...merge.plan.run, units: FORESEEN } });
    expect(await visible(world)).toEqual([merged]);
    expect(await world.work.head(backupLockKey('prod'))).toBeUndefined();
  });

  it('finishes what a try left undone that died between two tombstones', async () => {
    const { world, second, merge, merged } = await verified();
    const died = new Error('died');
    world.vault.before('create', tombstoneKey('prod', second.snapshot), () => Promise.reject(died));
    await expect(merge.hide()).rejects.toThrow(died);
    expect(await visible(world)).toEqual([second.snapshot, merged]);
    expect(await merge.hide()).toMatchObject({ outcome: 'planned' });
    expect(await visible(world)).toEqual([merged]);
  });

  it('hides nothing twice: what was undeleted since stays', async () => {
    const { world, second, merge, merged } = await verified();
    const answer = await merge.hide();
    await world.vault.hide(tombstoneKey('prod', second.snapshot));
    expect(await merge.hide()).toEqual(answer);
    expect(await visible(world)).toEqual([second.snapshot, merged]);
  });

  it('hides nothing twice, also when its ghost was through just before it got the lock', async () => {
    const { world, second, merge, merged } = await verified();
    world.work.before('create', backupLockKey('prod'), async () => {
      await merge.hide();
      await world.vault.hide(tombstoneKey('prod', second.snapshot));
    });
    expect(await merge.hide()).toMatchObject({ outcome: 'planned' });
    expect(await visible(world)).toEqual([second.snapshot, merged]);
  });

  it('hides nothing while its lock is gone, and does so in the next round', async () => {
    const { world, merge, merged } = await verified();
    world.vault.before('listVersions', '/snapshots/', () => world.work.delete(backupLockKey('prod')));
    expect(await merge.hide()).toEqual({ outcome: 'wait', waitSeconds: 5 });
    await assertNothingHidden(world, merge);
    expect(await merge.hide()).toMatchObject({ outcome: 'planned' });
    expect(await visible(world)).toEqual([merged]);
  });

  it('goes on when the source was hidden after the commit: the merged full shows its moment', async () => {
    const { world, third, merge, merged } = await verified();
    await hideByHand(world, third);
    await merge.hide();
    expect(await visible(world)).toEqual([merged]);
  });

  type Scene = Awaited<ReturnType<typeof verified>>;
  it.each<[string, (scene: Scene) => unknown, new (...args: never[]) => Error]>([
    ['the backup was frozen', ({ world }) => world.vault.create(freezeKey('prod'), note()), BackupFrozen],
    [
      'the merged full was hidden',
      async ({ world, merged }) => {
        const record = (await readSnapshots(world.vault, 'prod')).find(({ snapshot }) => snapshot === merged);
        return record === undefined ? undefined : hideByHand(world, record);
      },
      SnapshotNotFound,
    ],
    [
      'the merged full was not committed',
      ({ world, merged }) => world.vault.hide(recordKey('prod', merged)),
      RecordMissing,
    ],
    [
      'a rank was not verified',
      ({ world, merge }) => world.work.delete(mergeVerifiedKey(merge.deps.keys, 2)),
      RecordMissing,
    ],
    [
      'the ranks are others',
      ({ world, merged }) => world.vault.put(ranksKey('prod', merged), Buffer.from('x')),
      CatalogCorrupt,
    ],
    [
      'a record cannot be read',
      ({ world, second }) => world.vault.put(recordKey('prod', second.snapshot), Buffer.from('x')),
      CatalogCorrupt,
    ],
  ])('hides nothing when %s', async (_what, change, error) => {
    const scene = await verified();
    await change(scene);
    await expect(scene.merge.hide()).rejects.toThrow(error);
    await assertNothingHidden(scene.world, scene.merge);
  });
});
