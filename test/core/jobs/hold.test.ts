import { describe, expect, it } from 'vitest';
import { KineticaUnavailable } from '../../../adapters/kinetica/kinetica-errors.ts';
import {
  BackupModeHeldElsewhere,
  ClusterBusy,
  ClusterNotReady,
  ClusterOperationInProgress,
  LockLost,
  QuiesceLost,
  QuiesceTooLong,
} from '../../../core/errors.ts';
import { beginBackup, waitForHold } from '../../../core/jobs/control-cluster.ts';
import { armRelease, releaseScheduleName } from '../../../core/jobs/release.ts';
import { ControlRefused } from '../../../core/ports/cluster-control.ts';
import { assertHoldStands, readQuiesce, updateQuiesce } from '../../../core/quiesce.ts';
import { FIRST_POLL, type Poll } from '../../../core/run.ts';
import { HoldWorld } from '../../support/hold-world.ts';
import { ListedSource, listedPart } from '../../support/listed-source.ts';

describe('arming the release', () => {
  it('writes who holds, until when, and how to reach the cluster, before anything is sent', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    const { nonce, functions } = plan.run;
    expect(await world.record()).toMatchObject({
      cluster: 'held',
      execution: 'run-1',
      nonce,
      functions,
      control: plan.cluster.control,
    });
    expect(await world.record()).toMatchObject({
      armedAt: '2026-01-31T22:00:00.000Z',
      deadline: '2026-01-31T22:30:00.000Z',
    });
    expect(world.control.sent).toEqual([]);
  });

  it('makes the schedule that starts Release from the deadline on', async () => {
    const world = new HoldWorld();
    const { nonce } = (await world.arm()).run;
    const name = releaseScheduleName('held', nonce);
    const input = { cluster: 'held', nonce, reason: 'deadline' };
    const firstAtEpochMillis = Date.UTC(2026, 0, 31, 22, 30);
    expect([...world.schedules.byName.values()]).toEqual([{ name, firstAtEpochMillis, everyMinutes: 5, input }]);
  });

  it('names the schedule as the scheduler takes it, also for the longest cluster name', () => {
    expect(releaseScheduleName('c'.repeat(63), 'f'.repeat(24))).toMatch(/^[0-9a-zA-Z-_.]{1,64}$/);
  });

  it('may be done twice', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    await armRelease(world.deps, plan, undefined);
    expect(world.schedules.byName.size).toBe(1);
  });

  it('is refused while another execution’s hold is not released', async () => {
    const world = new HoldWorld();
    const plan = await world.armAndBegin();
    const other = { ...plan, run: { ...plan.run, execution: 'run-2', nonce: 'other' } };
    await expect(armRelease(world.deps, other, undefined)).rejects.toThrow(ClusterBusy);
    await world.release(plan.run.nonce);
    await armRelease(world.deps, other, undefined);
    expect(await world.record()).toMatchObject({ execution: 'run-2', nonce: 'other' });
  });
});

describe('a hold that would last too long', () => {
  async function armAfterListing(minutesOfRank: readonly number[], rankConcurrency = 40) {
    const { world, deps, schedules } = new HoldWorld();
    const planned = await world.plan({ backup: 'held', type: 'full', execution: 'run-1' });
    const plan = { ...planned, run: { ...planned.run, rankConcurrency } };
    await world.inspect(plan);
    for (const [rank, minutes] of minutesOfRank.entries()) {
      const source = world.source;
      world.source = new ListedSource({ [rank]: [listedPart('a'), listedPart('b')] });
      await world.enumerate(plan, 'warm', rank, () => {
        world.clock.advanceMinutes(minutes);
        return true;
      });
      world.source = source;
    }
    const warm = await world.enumerateAll(plan, 'warm');
    return { armed: () => armRelease(deps, plan, warm), schedules };
  }

  it('is refused before anything is armed, because every rank is listed twice under it', async () => {
    const { armed, schedules } = await armAfterListing([0, 16, 1]);
    await expect(armed()).rejects.toThrow(QuiesceTooLong);
    await expect(armed()).rejects.toThrow(
      'would be held for 32 minutes at least, and maxQuiesceMinutes is 30. Nothing was held.',
    );
    expect(schedules.byName.size).toBe(0);
  });

  it('is not refused while the listings fit', async () => {
    const { armed } = await armAfterListing([15, 15, 15]);
    await expect(armed()).resolves.toMatchObject({ deadline: expect.any(String) });
  });

  it('is refused when few ranks are listed at a time', async () => {
    const { armed } = await armAfterListing([15, 15, 15], 2);
    await expect(armed()).rejects.toThrow('45 minutes at least');
  });
});

describe('beginning backup mode', () => {
  it('writes that begin is sent before it is, and that it was answered', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    expect(await beginBackup(world.deps, plan.run)).toEqual({ sent: true });
    expect(await world.record()).toMatchObject({
      beginSentAt: '2026-01-31T22:00:00.000Z',
      begunAt: '2026-01-31T22:00:00.000Z',
    });
  });

  it('sends begin at most once, however often the step runs', async () => {
    const world = new HoldWorld();
    const plan = await world.armAndBegin();
    expect(await beginBackup(world.deps, plan.run)).toEqual({ sent: false });
    expect(world.control.sent).toEqual(['begin']);
  });

  it('sends begin once when the step runs beside its own ghost', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    const answers = await Promise.all([1, 2, 3].map(() => beginBackup(world.deps, plan.run)));
    expect(answers.filter(({ sent }) => sent)).toHaveLength(1);
    expect(world.control.sent).toEqual(['begin']);
  });

  it('is refused while somebody else holds the cluster, and sends nothing', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.control.mode = 'backing_up';
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(BackupModeHeldElsewhere);
    await world.release(plan.run.nonce, 'abort');
    expect([world.control.mode, world.control.sent, world.isArmed(plan)]).toEqual(['backing_up', [], false]);
  });

  it('is refused while ranks are added or removed', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.control.operationInProgress = true;
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(ClusterOperationInProgress);
  });

  it('that the cluster refuses is never ended by us', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.control.visibility = 'hidden';
    world.control.mode = 'backing_up';
    world.control.refusesSecondBegin = true;
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(ControlRefused);
    expect(await world.release(plan.run.nonce, 'abort')).toBe('release');
    expect([world.control.mode, world.control.sent]).toEqual(['backing_up', ['begin']]);
    expect(await world.record()).toHaveProperty('releasedAt');
  });

  it('remembers the refusal also when a release wrote to the record meanwhile', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.control.visibility = 'hidden';
    world.control.refusesSecondBegin = true;
    const begin = world.control.beginBackup.bind(world.control);
    world.control.beginBackup = async () => {
      const stored = await readQuiesce(world.world.work, 'held');
      if (stored !== undefined) {
        await updateQuiesce(world.world.work, stored, () => ({
          endSentAt: '2026-01-31T22:00:00.000Z',
          releaseReason: 'deadline',
        }));
      }
      world.control.mode = 'backing_up';
      await begin();
    };
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(ControlRefused);
    expect(await world.record()).toHaveProperty('beginRefusedAt');
    await world.release(plan.run.nonce, 'deadline');
    expect(world.control.sent).toEqual(['begin']);
  });

  it('that never left is not ended either', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.control.beginBackup = () => Promise.reject(new KineticaUnavailable('No connection.', { hint: 'Wait.' }));
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(KineticaUnavailable);
    await world.release(plan.run.nonce, 'abort');
    expect(world.control.sent).toEqual([]);
  });

  it('is never sent after the hold was released, because nobody would end it', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.world.clock.advanceMinutes(31);
    await world.release(plan.run.nonce, 'deadline');
    expect(world.isArmed(plan)).toBe(false);
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(QuiesceLost);
    expect([world.control.mode, world.control.sent]).toEqual(['normal', []]);
  });

  it('is not sent when a release finds nothing to do at the same moment', async () => {
    const world = new HoldWorld();
    const plan = await world.arm();
    world.world.work.before('replace', 'quiesce/held.json', () => world.release(plan.run.nonce, 'deadline'));
    await expect(beginBackup(world.deps, plan.run)).rejects.toThrow(QuiesceLost);
    expect([world.control.mode, world.control.sent]).toEqual(['normal', []]);
  });

  it('is another execution’s matter when the intent record is', async () => {
    const world = new HoldWorld();
    await world.arm();
    await expect(beginBackup(world.deps, { cluster: 'held', nonce: 'other' })).rejects.toThrow(LockLost);
  });
});

describe('waiting for the hold', () => {
  it('ends when backup mode is seen, and remembers that it was', async () => {
    const world = new HoldWorld();
    const plan = await world.armAndBegin();
    expect(await waitForHold(world.deps, plan.run, FIRST_POLL)).toMatchObject({ ready: true });
    expect(await world.record()).toHaveProperty('heldSeenAt');
  });

  it('ends at once for a cluster that answered begin and never shows its mode', async () => {
    const world = new HoldWorld();
    world.control.visibility = 'hidden';
    const plan = await world.armAndBegin();
    expect(await waitForHold(world.deps, plan.run, FIRST_POLL)).toMatchObject({ ready: true });
    expect(await world.record()).not.toHaveProperty('heldSeenAt');
  });

  it('goes on after a begin whose answer was lost, until backup mode is seen', async () => {
    const world = new HoldWorld();
    world.control.nextBegins.push('lost_before');
    const plan = await world.armAndBegin();
    const poll = await waitForHold(world.deps, plan.run, FIRST_POLL);
    expect(poll).toEqual({ count: 1, ready: false, waitSeconds: 2 });
    world.control.mode = 'backing_up';
    expect(await waitForHold(world.deps, plan.run, poll)).toMatchObject({ ready: true });
  });

  it('gives up after the bound on polls', async () => {
    const world = new HoldWorld();
    world.control.nextBegins.push('lost_before');
    const plan = await world.armAndBegin();
    const last: Poll = { count: 80, ready: false, waitSeconds: 30 };
    await expect(waitForHold(world.deps, plan.run, last)).rejects.toThrow(ClusterNotReady);
  });

  it('ends as lost when the release has begun', async () => {
    const world = new HoldWorld();
    const plan = await world.armAndBegin();
    await world.rounds(plan.run.nonce, 'deadline');
    await expect(waitForHold(world.deps, plan.run, FIRST_POLL)).rejects.toThrow(QuiesceLost);
  });
});

describe('a step inside the hold', () => {
  it('goes on while the hold stands', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await expect(assertHoldStands(world.world.work, 'held', plan.run.nonce)).resolves.toBeUndefined();
  });

  it('fails once a release has begun, and says whose', async () => {
    const world = new HoldWorld();
    const plan = await world.hold();
    await world.rounds(plan.run.nonce, 'deadline');
    await expect(assertHoldStands(world.world.work, 'held', plan.run.nonce)).rejects.toThrow(QuiesceLost);
    await expect(assertHoldStands(world.world.work, 'held', plan.run.nonce)).rejects.toThrow('was released (deadline)');
  });

  it('fails when the hold is another execution’s, or there is none', async () => {
    const world = new HoldWorld();
    await expect(assertHoldStands(world.world.work, 'held', 'n')).rejects.toThrow(LockLost);
    await world.hold();
    await expect(assertHoldStands(world.world.work, 'held', 'n')).rejects.toThrow(LockLost);
  });
});
