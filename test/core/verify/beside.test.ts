import { describe, expect, it } from 'vitest';
import { commitSnapshot } from '../../../core/jobs/commit-snapshot.ts';
import { sealRank } from '../../../core/jobs/seal-rank.ts';
import { collectAll } from '../../support/merge-world.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

async function taken() {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-1/b.seg', 'second b');
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  return { world, full, next };
}

const LEVELS = ['present', 'read'] as const;

async function finish(world: VerifyWorld, run: Awaited<ReturnType<VerifyWorld['planned']>>) {
  await world.lookAtAll(run);
  await world.readAll(run);
  return world.verified(run, await world.conclude(run));
}

describe.each(LEVELS)('a %s verification beside a snapshot', (level) => {
  it('that is committed meanwhile does not look at it, and counts it as not looked at', async () => {
    const { world, full, next } = await taken();
    const run = await world.planned({ execution: 'v1', input: { level } });
    world.write('rank-2/tom-0/c.seg', 'third c');
    const third = await world.snapshot({ type: 'incremental', execution: 's3' });
    const { record } = await finish(world, run);
    expect(record.findings).toEqual({});
    expect(record.snapshots).toEqual([full.snapshot, next.snapshot]);
    expect(record.state.coverage[level]).toMatchObject({ within30Days: { parts: 6 }, total: { parts: 7 } });
    expect(record.state.verified.map(({ snapshot }) => snapshot)).not.toContain(third.snapshot);
  });

  it.each(['copied', 'sealed', 'committed'] as const)(
    'that is %s has nothing against what is there of it',
    async (stage) => {
      const { world } = await taken();
      world.write('rank-2/tom-0/c.seg', 'third c');
      world.clock.advanceMinutes(1);
      const plan = await world.plan({ type: 'incremental', execution: 's3' });
      await world.inspect(plan);
      await world.enumerateAll(plan, 'final');
      await world.copyAll(plan, 'final');
      if (stage !== 'copied') {
        for (const rank of await world.ranks(plan)) {
          await sealRank(world.of(plan), plan, rank);
        }
      }
      if (stage === 'committed') {
        await commitSnapshot(world.of(plan), plan);
      }
      const { record } = await world.verify({ execution: 'v1', input: { level } });
      expect(record.findings).toEqual({});
      expect(record.snapshots).toHaveLength(stage === 'committed' ? 3 : 2);
    },
  );
});

describe.each(LEVELS)('a %s verification beside a purge', (level) => {
  it('keeps the bytes that it looks at until it has ended', async () => {
    const { world, full, next } = await taken();
    const run = await world.planned({ execution: 'v1', input: { level } });
    await world.tombstone(full);
    await world.tombstone(next);
    await collectAll(world, 'collect-1');
    const { record } = await finish(world, run);
    expect(record.findings).toEqual({});
    expect(record.state).toMatchObject({ open: [], verified: [], coverage: { [level]: { total: { parts: 0 } } } });
    await collectAll(world, 'collect-2');
    expect(world.vault.keys().filter((key) => key.startsWith('prod/'))).toEqual([]);
  });

  it('looks at what a kept snapshot needs of a purged one, also when the rest is gone', async () => {
    const { world, full, next } = await taken();
    await world.tombstone(full);
    await collectAll(world, 'collect-1');
    // Replaced by the second snapshot, so nobody needs it.
    expect(world.vault.keys()).not.toContain(`prod/${full.snapshot}/rank-1/tom-1/b.seg`);
    const { record } = await world.verify({ execution: 'v1', input: { level } });
    expect(record.findings).toEqual({});
    expect(record.snapshots).toEqual([next.snapshot]);
    expect(record.checked).toEqual({ parts: next.totals.parts, bytes: next.totals.bytes });
    world.vault.lose(await world.version(next, 2, 'tom-0/c.seg'));
    const second = await world.verify({ execution: 'v2', input: { level } });
    expect(second.record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
  });

  it('that comes between plan and look finds the later snapshot no less whole', async () => {
    const { world, full, next } = await taken();
    const run = await world.planned({ execution: 'v1', input: { level } });
    await world.tombstone(full);
    const { record } = await finish(world, run);
    // What it has of the purged one was looked at through that one's manifests: too little to be sure by today's catalog.
    expect(record.findings).toEqual({});
    expect(record.snapshots).toEqual([]);
    const again = await world.verify({ execution: 'v2', input: { level } });
    expect(again.record.snapshots).toEqual([next.snapshot]);
  });
});
