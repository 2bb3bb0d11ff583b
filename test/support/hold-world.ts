import { beginBackup, type ReleasePoll, releaseRound, waitForHold } from '../../core/jobs/control-cluster.ts';
import { armRelease, awaitRelease, planRelease, releaseScheduleName, settleRelease } from '../../core/jobs/release.ts';
import { type Quiesce, readQuiesce } from '../../core/quiesce.ts';
import { FIRST_POLL, type Poll, type SnapshotPlan } from '../../core/run.ts';
import { InMemoryClusterControl } from './in-memory-cluster-control.ts';
import { InMemorySchedules } from './in-memory-schedules.ts';
import { JobWorld } from './job-world.ts';

/** A cluster that is held still and released, by the jobs of the Snapshot and the Release machine in their order. */
export class HoldWorld {
  readonly world = new JobWorld();
  readonly control = new InMemoryClusterControl();
  readonly schedules = new InMemorySchedules();

  get deps() {
    const { work, clock } = this.world;
    return { work, clock, control: this.control, schedules: this.schedules };
  }

  /** Plans a snapshot of `held` and arms its release. */
  async arm(execution = 'run-1'): Promise<SnapshotPlan> {
    const plan = await this.world.plan({ backup: 'held', type: 'full', execution });
    await armRelease(this.deps, plan, undefined);
    return plan;
  }

  async armAndBegin(): Promise<SnapshotPlan> {
    const plan = await this.arm();
    await beginBackup(this.deps, plan.run);
    return plan;
  }

  async hold(): Promise<SnapshotPlan> {
    const plan = await this.armAndBegin();
    await waitForHold(this.deps, plan.run, FIRST_POLL);
    return plan;
  }

  async record(): Promise<Quiesce | undefined> {
    return (await readQuiesce(this.world.work, 'held'))?.value;
  }

  isArmed(plan: SnapshotPlan): boolean {
    return this.schedules.byName.has(releaseScheduleName('held', plan.run.nonce));
  }

  /** Rounds of the Release machine, waiting as long as they say, until one is ready. @returns how many there were */
  async rounds(nonce: string, reason: string): Promise<number> {
    let poll: ReleasePoll = { ...FIRST_POLL, sightings: 0 };
    let rounds = 0;
    while (!poll.ready) {
      poll = await releaseRound(this.deps, { cluster: 'held', nonce, reason }, poll);
      this.world.clock.advanceMillis(poll.waitSeconds * 1000);
      rounds += 1;
    }
    return rounds;
  }

  /** The whole Release machine. */
  async release(nonce: string, reason = 'end'): Promise<'release' | 'nothing'> {
    const { outcome, release } = await planRelease(this.world.work, { cluster: 'held', nonce, reason });
    if (outcome === 'release') {
      await this.rounds(nonce, reason);
    }
    await settleRelease(this.deps, release);
    return outcome;
  }

  awaitRelease(plan: SnapshotPlan): Promise<Poll> {
    return awaitRelease(this.world.work, plan.run, FIRST_POLL);
  }
}
