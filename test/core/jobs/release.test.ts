import { describe, expect, it } from 'vitest';
import { InputInvalid, QuiesceLost, ReleaseUnconfirmed } from '../../../core/errors.ts';
import { beginBackup, releaseRound } from '../../../core/jobs/control-cluster.ts';
import { awaitRelease, planRelease, settleRelease } from '../../../core/jobs/release.ts';
import { FIRST_POLL } from '../../../core/run.ts';
import { HoldWorld } from '../../support/hold-world.ts';

const round = (world: HoldWorld, nonce: string, count = 0) =>
  releaseRound(world.deps, { cluster: 'held', nonce, reason: 'end' }, { ...FIRST_POLL, count, sightings: 0 });

describe('a release', () => {
  it('sends end once, sees normal mode twice, closes the record and deletes the schedule', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    expect(await world.release(plan.run.nonce)).toBe('release');
    expect(world.control).toMatchObject({ mode: 'normal', sent: ['begin', 'end'] });
    expect(await world.record()).toMatchObject({ releaseReason: 'end', releasedAt: expect.any(String) });
    expect(world.isArmed(plan)).toBe(false);
    expect(await world.awaitRelease(plan)).toMatchObject({ ready: true });
  });

  it('by a foreign nonce does nothing', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    expect(await world.release('foreign')).toBe('nothing');
    expect(await round(world, 'foreign')).toMatchObject({ ready: true });
    expect(world.control).toMatchObject({ mode: 'backing_up', sent: ['begin'] });
    expect([await world.record(), world.isArmed(plan)]).toEqual([
      expect.not.objectContaining({ releasedAt: expect.anything() }),
      true,
    ]);
  });

  it('of a cluster that nobody holds does nothing', async () => {
    const world = new HoldWorld();
    expect(await world.release('n')).toBe('nothing');
    expect(await round(world, 'n')).toMatchObject({ ready: true });
    expect(world.control.sent).toEqual([]);
  });

  it('may run twice, and the second finds nothing', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await world.release(plan.run.nonce);
    world.control.mode = 'backing_up';
    expect(await world.release(plan.run.nonce, 'deadline')).toBe('nothing');
    expect(world.control).toMatchObject({ mode: 'backing_up', sent: ['begin', 'end'] });
  });

  it('leaves alone who begins after it was seen to be over', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    const first = await round(world, plan.run.nonce);
    expect(first).toMatchObject({ ready: false, sightings: 1 });
    await world.control.beginBackup();
    const holder = { cluster: 'held', nonce: plan.run.nonce, reason: 'end' };
    expect(await releaseRound(world.deps, holder, first)).toMatchObject({ ready: true });
    expect(world.control).toMatchObject({ mode: 'backing_up', sent: ['begin', 'end', 'begin'] });
  });

  it('by two executions at the same time ends once for both', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await Promise.all([world.rounds(plan.run.nonce, 'end'), world.rounds(plan.run.nonce, 'deadline')]);
    expect(world.control.mode).toBe('normal');
    expect(await world.record()).toMatchObject({ endSentAt: expect.any(String) });
  });

  it('is not stopped by a begin that writes its answer at the same moment', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    const begin = world.control.beginBackup.bind(world.control);
    world.control.beginBackup = async () => {
      await begin();
      await round(world, plan.run.nonce);
    };
    await expect(beginBackup(world.deps, plan.run)).resolves.toEqual({ sent: true });
    expect(await world.record()).toMatchObject({ begunAt: expect.any(String), endSentAt: expect.any(String) });
  });

  it('deletes the schedule also when there was nothing to release', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    expect(await world.release(plan.run.nonce, 'abort')).toBe('release');
    expect([world.control.sent, world.isArmed(plan)]).toEqual([[], false]);
    expect(await world.record()).toHaveProperty('releasedAt');
  });

  it('is not settled when a begin slipped in after it had found nothing to do', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await expect(settleRelease(world.deps, plan.run)).rejects.toThrow(ReleaseUnconfirmed);
    expect(world.isArmed(plan)).toBe(true);
    expect(await world.record()).not.toHaveProperty('releasedAt');
  });

  it.each(['lost_before', 'refused'] as const)(
    'sends end again when one was %s and backup mode is still shown',
    async (fault) => {
      const world = new HoldWorld();
      const plan = await world.hold();
      world.control.nextEnds.push(fault, fault, fault);
      await world.release(plan.run.nonce);
      expect(world.control.mode).toBe('normal');
      expect(world.control.sent.filter((each) => each === 'end')).toHaveLength(4);
    },
  );

  it('counts a refused end as done when normal mode is seen', async () => {
    const world = new HoldWorld();
    world.control.visibility = 'hidden';
    const plan = await world.armAndBegin();
    world.control.mode = 'normal';
    world.control.refusesStrayEnd = true;
    await world.release(plan.run.nonce, 'abort');
    expect(world.control.sent).toEqual(['begin', 'end']);
  });

  it('of a cluster that never shows backup mode trusts the answer to end', async () => {
    const world = new HoldWorld();
    world.control.visibility = 'hidden';
    const plan = await world.hold();
    world.control.nextEnds.push('lost_before', 'lost_before');
    await world.release(plan.run.nonce);
    expect(world.control).toMatchObject({ mode: 'normal', sent: ['begin', 'end', 'end', 'end'] });
  });

  it('of a cluster that has gone silent goes on until it answers', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    world.control.stopped = true;
    const poll = await round(world, plan.run.nonce);
    expect(poll).toMatchObject({ ready: false, sightings: 0 });
    world.control.stopped = false;
    await world.release(plan.run.nonce);
    expect(world.control.mode).toBe('normal');
  });

  it('that fails for many rounds ends loudly and says how to release by hand', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    world.control.nextEnds.push(...Array.from({ length: 700 }, () => 'lost_before' as const));
    await expect(world.release(plan.run.nonce)).rejects.toThrow(ReleaseUnconfirmed);
    expect(world.isArmed(plan)).toBe(true);
    await expect(world.release(plan.run.nonce)).rejects.toThrow('/admin/backup/end');
  });
});

describe('a release after a begin whose answer was lost', () => {
  it('ends what took effect', async () => {
    const world = new HoldWorld();
    world.control.nextBegins.push('lost_after');
    const plan = await world.armAndBegin();
    await world.release(plan.run.nonce, 'abort');
    expect(world.control.mode).toBe('normal');
  });

  it.each(['shown', 'hidden'] as const)('also ends what takes effect late, when the mode is %s', async (visibility) => {
    const world = new HoldWorld();
    world.control.visibility = visibility;
    world.control.nextBegins.push('lost_before');
    const plan = await world.armAndBegin();
    const begunAt = world.world.clock.nowEpochMillis();
    const end = world.control.endBackup.bind(world.control);
    let isLate = false;
    world.control.endBackup = async () => {
      const outcome = await end();
      // As late as a lost begin may take effect: after the last end that is sent before begin is known to be over.
      if (world.world.clock.nowEpochMillis() - begunAt > 29 * 60_000 && !isLate) {
        isLate = true;
        world.control.mode = 'backing_up';
      }
      return outcome;
    };
    await world.release(plan.run.nonce, 'abort');
    expect([isLate, world.control.mode]).toEqual([true, 'normal']);
  });

  it('goes on for half an hour although normal mode is seen all the time', async () => {
    const world = new HoldWorld();
    world.control.nextBegins.push('lost_before');
    const plan = await world.armAndBegin();
    const before = world.world.clock.nowEpochMillis();
    await world.release(plan.run.nonce, 'abort');
    expect(world.world.clock.nowEpochMillis() - before).toBeGreaterThanOrEqual(30 * 60_000);
  });
});

describe('awaiting the release', () => {
  it('waits until it is confirmed', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    expect(await world.awaitRelease(plan)).toEqual({ count: 1, ready: false, waitSeconds: 2 });
  });

  it('fails when the hold was gone before we ended it', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    world.control.mode = 'normal';
    await world.release(plan.run.nonce);
    expect(await world.record()).toMatchObject({ broken: expect.any(String) });
    await expect(world.awaitRelease(plan)).rejects.toThrow(QuiesceLost);
  });

  it('fails when the deadline ended the hold', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await world.release(plan.run.nonce, 'deadline');
    await expect(world.awaitRelease(plan)).rejects.toThrow('ended by deadline');
  });

  it('fails when the release is not confirmed within the bound on polls', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await expect(awaitRelease(world.world.work, plan.run, { ...FIRST_POLL, count: 360 })).rejects.toThrow(QuiesceLost);
  });
});

describe('planning a release', () => {
  it('names the functions that reach the cluster, from the record and not from the configuration', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    const { nonce, functions } = plan.run;
    expect(await planRelease(world.world.work, { cluster: 'held', nonce })).toMatchObject({
      outcome: 'release',
      release: { cluster: 'held', nonce, reason: 'by hand', functions },
    });
  });

  it('refuses an input that names no hold', async () => {
    const world = new HoldWorld();
    await expect(planRelease(world.world.work, { cluster: 'held' })).rejects.toThrow(InputInvalid);
    await expect(planRelease(world.world.work, undefined)).rejects.toThrow('Start it again with an input like');
  });
});
