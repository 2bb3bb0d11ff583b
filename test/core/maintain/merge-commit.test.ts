import { describe, expect, it } from 'vitest';
import { readSnapshots } from '../../../core/catalog.ts';
import { SnapshotNotFound, VaultKeyTaken } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { acquireLock } from '../../../core/locks.ts';
import { tombstoneOf, writeTombstone } from '../../../core/maintain/tombstones.ts';
import { ranksKey, recordKey } from '../../../core/vault-layout.ts';
import { backupLockKey } from '../../../core/work-layout.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { planOfMerge } from '../../support/merge-world.ts';
import { sampleConfig } from '../../support/sample-config.ts';
import { snapshotRecord } from '../../support/sample-lines.ts';

const LOCK = backupLockKey('prod');

/** A full and an incremental, merged as far as the seals. */
async function sealed(config = sampleConfig()) {
  const world = new MaintainWorld({ config });
  const full = await world.snapshot({ type: 'full', execution: 'run-0' });
  world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second'));
  const second = await world.snapshot({ type: 'incremental', execution: 'run-1' });
  world.clock.advanceMinutes(1);
  const merge = await planOfMerge(world, { execution: 'merge-1' });
  await merge.list();
  await merge.copy();
  await merge.seal();
  return { world, full, second, merge };
}

const visible = async (world: MaintainWorld) =>
  (await readSnapshots(world.vault, 'prod')).map(({ snapshot }) => snapshot);

describe('committing a merged full', () => {
  it('shows it beside its sources, as the newest, and gives the lock back', async () => {
    const { world, full, second, merge } = await sealed();
    const { snapshot } = merge.plan.merge;
    expect(await merge.commit()).toMatchObject({ outcome: 'committed', snapshot, parts: 5 });
    expect(await visible(world)).toEqual([full.snapshot, second.snapshot, snapshot]);
    expect(await world.work.head(LOCK)).toBeUndefined();
  });

  it('waits while a snapshot of the backup runs, and goes on when that has ended', async () => {
    const { world, merge } = await sealed();
    world.clock.advanceMinutes(1);
    const running = await world.plan({ type: 'incremental', execution: 'run-2' });
    world.executions.states.set(running.run.executionArn, { status: 'running' });
    expect(await merge.commit()).toEqual({ outcome: 'wait', waitSeconds: 120 });
    expect(await world.vault.head(recordKey('prod', merge.plan.merge.snapshot))).toBeUndefined();
    await world.inspect(running);
    await world.enumerateAll(running, 'final');
    await world.copyAll(running, 'final');
    const third = await world.finish(running);
    expect(await merge.commit()).toMatchObject({ outcome: 'committed' });
    expect((await visible(world)).at(-1)).toBe(third.snapshot);
  });

  it('holds the lock for a moment only, so that whoever finds it waits', async () => {
    const { world, merge } = await sealed();
    let held: unknown;
    world.vault.before('create', '/snapshots/', async () => {
      held = JSON.parse(await world.read(LOCK));
    });
    await merge.commit();
    expect(held).toMatchObject({ execution: 'merge-1', brief: true });
  });

  it('answers its record on a second try, also when its sources are hidden by then', async () => {
    const { world, second, merge } = await sealed();
    const first = await merge.commit();
    await hide(world, second, 'merge-1');
    world.clock.advanceMinutes(60);
    expect(await merge.commit()).toEqual(first);
  });

  it('gives the lock back that a first try had left when it died right after its commit', async () => {
    const { world, merge } = await sealed();
    await merge.commit();
    const { execution, executionArn, nonce } = merge.plan.run;
    await acquireLock(world, LOCK, { execution, executionArn, nonce });
    expect(await merge.commit()).toMatchObject({ outcome: 'committed' });
    expect(await world.work.head(LOCK)).toBeUndefined();
  });

  it('answers the record of its ghost when that was faster', async () => {
    const { world, merge } = await sealed();
    let ghost: unknown;
    world.vault.before('create', '/snapshots/', async () => {
      ghost = await merge.commit();
    });
    expect(await merge.commit()).toEqual(ghost);
  });

  it('commits nothing while its lock is gone, and does so in the next round', async () => {
    const { world, merge } = await sealed();
    world.vault.before('create', ranksKey('prod', merge.plan.merge.snapshot), () => world.work.delete(LOCK));
    expect(await merge.commit()).toEqual({ outcome: 'wait', waitSeconds: 5 });
    expect(await visible(world)).toHaveLength(2);
    expect(await merge.commit()).toMatchObject({ outcome: 'committed' });
  });

  it.each(['source', 'snapshot'] as const)('commits nothing when its %s was hidden meanwhile', async (which) => {
    const { world, second, merge } = await sealed();
    const hidden = { ...second, snapshot: merge.plan.merge[which] };
    await hide(world, hidden, 'purge-1');
    await expect(merge.commit()).rejects.toThrow(SnapshotNotFound);
    await expect(merge.commit()).rejects.toThrow("was hidden by 'purge' of execution purge-1");
    expect(await world.vault.head(recordKey('prod', merge.plan.merge.snapshot))).toBeUndefined();
  });

  it('does not mind that an older source was hidden meanwhile: its copies are its own', async () => {
    const { world, full, merge } = await sealed();
    await hide(world, full, 'purge-1');
    expect(await merge.commit()).toMatchObject({ outcome: 'committed' });
  });

  it('refuses a record or ranks of somebody else in its directory', async () => {
    const { world, merge } = await sealed();
    const { snapshot } = merge.plan.merge;
    await world.vault.put(ranksKey('prod', snapshot), Buffer.from('other'));
    await expect(merge.commit()).rejects.toThrow('exists with other ranks');
    await world.vault.put(recordKey('prod', snapshot), jsonBytes(snapshotRecord({ snapshot })));
    await expect(merge.commit()).rejects.toThrow(VaultKeyTaken);
  });

  it('refuses to go on without the seal of a rank', async () => {
    const { world, merge } = await sealed();
    await world.work.delete(merge.deps.keys.seal(2));
    await expect(merge.commit()).rejects.toThrow('Rank 2 of');
    expect(await visible(world)).toHaveLength(2);
  });

  it('is locked as what was written now, whatever the locks of its sources are', async () => {
    const { merge, world } = await sealed(
      sampleConfig({ vault: { objectLock: { mode: 'GOVERNANCE', retainDays: 30, chainDays: 14 } } }),
    );
    await merge.commit();
    const record = (await readSnapshots(world.vault, 'prod')).at(-1);
    expect(record?.lock).toEqual({
      mode: 'GOVERNANCE',
      promisedUntil: '2026-03-02T22:02:00.000Z',
      earliest: '2026-03-16T22:03:00.000Z',
      latest: '2026-03-16T23:03:00.000Z',
      chainUntil: '2026-03-16T22:03:00.000Z',
    });
  });
});

async function hide(world: MaintainWorld, record: Parameters<typeof tombstoneOf>[0], execution: string) {
  const owner = { execution, executionArn: `arn:${execution}` };
  const facts = {
    action: 'purge' as const,
    reason: 'test',
    owner,
    atEpochMillis: world.clock.nowEpochMillis(),
    keptForDays: 7,
  };
  await writeTombstone(world.vault, tombstoneOf(record, facts));
}
