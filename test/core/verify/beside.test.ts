import { describe, expect, it } from 'vitest';
import { commitSnapshot } from '../../../core/jobs/commit-snapshot.ts';
import { sealRank } from '../../../core/jobs/seal-rank.ts';
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
    await world.purge(full);
    await world.purge(next);
    const { record } = await finish(world, run);
    expect(record.findings).toEqual({});
    expect(record.state).toMatchObject({ open: [], verified: [], coverage: { [level]: { total: { parts: 0 } } } });
    await world.maintain({ action: 'collect' });
    expect(world.vault.keys().filter((key) => key.startsWith('prod/'))).toEqual([]);
  });

  it('looks at what a kept snapshot needs of a purged one, also when the rest is gone', async () => {
    const { world, full, next } = await taken();
    await world.purge(full);
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

  it('that comes between plan and look calls the later snapshot whole the next time', async () => {
    const { world, full, next } = await taken();
    const run = await world.planned({ execution: 'v1', input: { level } });
    await world.purge(full);
    const { record } = await finish(world, run);
    // What it has of the purged one was looked at through that one's manifests: too little to be sure by today's catalog.
    expect(record.findings).toEqual({});
    expect(record.snapshots).toEqual([]);
    const again = await world.verify({ execution: 'v2', input: { level } });
    expect(again.record.snapshots).toEqual([next.snapshot]);
  });
});

describe('after maintenance', () => {
  it.each(LEVELS)('a %s verification finds a merged full sound, and what it was made from gone', async (level) => {
    const { world } = await taken();
    const { merged } = await world.maintain({ action: 'merge' });
    const { record } = await world.verify({ execution: 'v1', input: { level } });
    expect(record.findings).toEqual({});
    expect(record.snapshots).toEqual([merged?.snapshot]);
  });

  it('that repaired what lay under delete markers, a verification closes what it had found', async () => {
    const { world, full } = await taken();
    for (const path of ['tom-0/a.seg', 'tom-1/b.seg']) {
      await world.vault.hide(`prod/${full.snapshot}/rank-1/${path}`);
    }
    await world.vault.hide(`.rankvault/catalog/prod/snapshots/${full.snapshot}.json`);
    const first = await world.verify({ execution: 'v1', input: { level: 'present' } });
    expect(first.record.findings).toMatchObject({ HiddenRecord: 1, NoncurrentObject: 1 });
    expect(first.answer.verification.next).toContain('action repair');
    await world.maintain({ action: 'repair' });
    // The record is back, so that what it alone names is looked at again.
    const second = await world.verify({ execution: 'v2', input: { level: 'present' } });
    expect(second.findings).toMatchObject([{ kind: 'NoncurrentObject', snapshot: full.snapshot }]);
    await world.maintain({ action: 'repair' });
    const third = await world.verify({ execution: 'v3', input: { level: 'present' } });
    expect(third.record.findings).toEqual({});
    expect(third.record.state.open).toEqual([]);
  });

  it('that collected what nothing names, a verification has nothing to note', async () => {
    const { world, full } = await taken();
    await world.vault.put(`prod/${full.snapshot}/rank-1/tom-0/stray.seg`, Buffer.from('stray'));
    const first = await world.verify({ execution: 'v1', input: { level: 'present' } });
    expect(first.record.findings).toEqual({ ExtraObject: 1 });
    world.advanceDays(3);
    await world.maintain({ action: 'collect' });
    expect((await world.verify({ execution: 'v2', input: { level: 'present' } })).record.findings).toEqual({});
  });
});
