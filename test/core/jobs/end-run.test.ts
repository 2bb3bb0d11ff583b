import { describe, expect, it } from 'vitest';
import { type FailureFacts, recordFailure } from '../../../core/failures.ts';
import { abortRequestSchema, abortRun, unlockRun } from '../../../core/jobs/end-run.ts';
import { armRelease } from '../../../core/jobs/release.ts';
import { ranksKey } from '../../../core/vault-layout.ts';
import { InMemorySchedules } from '../../support/in-memory-schedules.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { JobWorld } from '../../support/job-world.ts';
import { RestoreWorld } from '../../support/restore-world.ts';

const EXCEEDED = {
  Error: 'States.ExceedToleratedFailureThreshold',
  Cause: 'The specified tolerated failure threshold was exceeded',
};

function abort(
  world: JobWorld,
  failure: Readonly<Record<string, unknown>>,
  machine: 'Snapshot' | 'Restore' = 'Snapshot',
  execution = 'run-1',
) {
  const { executionArn, startedAt } = world.start(execution, {});
  return abortRun(world.work, abortRequestSchema.parse({ execution, executionArn, startedAt, machine, failure }));
}

async function recorded(world: JobWorld, ...failures: readonly Partial<FailureFacts>[]): Promise<void> {
  for (const [number, change] of failures.entries()) {
    const facts = {
      error: 'PartChanged',
      message: 'x changed. Do y.',
      function: 'copy-parts',
      transient: false,
      ...change,
    };
    await recordFailure(world.work, world.keys('run-1'), {
      facts,
      id: `i${number}`,
      atEpochMillis: world.clock.nowEpochMillis(),
    });
    world.clock.advanceMillis(1);
  }
}

describe('unlocking a run', () => {
  it('gives both locks back, also when it is done twice', async () => {
    const world = new JobWorld();
    const plan = await world.plan({ type: 'full', execution: 'run-1' });
    await unlockRun(world.work, plan.run);
    await unlockRun(world.work, plan.run);
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('leaves the locks of others', async () => {
    const world = new JobWorld();
    const plan = await world.plan({ type: 'full', execution: 'run-1' });
    await unlockRun(world.work, { ...plan.run, nonce: 'other' });
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toHaveLength(2);
  });
});

describe('aborting a run', () => {
  it('reports a step’s own error with its message, which ends in what to do', async () => {
    const Cause = JSON.stringify({ errorType: 'QuiesceLost', errorMessage: 'Rank 1 changed. Start again.', trace: [] });
    expect(await abort(new JobWorld(), { Error: 'QuiesceLost', Cause })).toMatchObject({
      error: 'QuiesceLost',
      cause: 'Rank 1 changed. Start again.',
    });
  });

  it.each([
    [{ Error: 'States.Timeout' }, 'States.Timeout', ''],
    [{ Error: 'States.Runtime', Cause: 'plain text' }, 'States.Runtime', 'plain text'],
    [{ Error: 'X', Cause: '{"other":1}' }, 'X', '{"other":1}'],
    [{}, 'Unknown', ''],
  ])('keeps the name of %j', async (failure, error, cause) => {
    expect(await abort(new JobWorld(), failure)).toMatchObject({ error, cause });
  });

  it('reports the first failure of a Map’s workers that was not transient', async () => {
    const world = new JobWorld();
    await recorded(world, { error: 'StoreUnavailable', transient: true }, {}, { error: 'LockLost' });
    expect(await abort(world, EXCEEDED)).toMatchObject({ error: 'PartChanged', cause: 'x changed. Do y.' });
  });

  it('reports the last transient failure when there was no other', async () => {
    const world = new JobWorld();
    await recorded(
      world,
      { error: 'StoreUnavailable', transient: true },
      { error: 'KineticaUnavailable', transient: true },
    );
    expect(await abort(world, EXCEEDED)).toMatchObject({ error: 'KineticaUnavailable' });
  });

  it('says that workers died when none left a record', async () => {
    expect(await abort(new JobWorld(), EXCEEDED)).toMatchObject({
      error: 'WorkerDied',
      cause: expect.stringContaining('Look at the failed child executions'),
    });
  });

  it('gives back what the run holds, also when it failed before it had a plan', async () => {
    const world = new JobWorld();
    await world.plan({ type: 'full', execution: 'run-1' });
    await world.work.delete(world.keys('run-1').plan());
    expect(await abort(world, { Error: 'StoreUnavailable' })).toMatchObject({ release: false, cluster: '' });
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('leaves what others hold', async () => {
    const world = new JobWorld();
    await world.plan({ type: 'full', execution: 'run-1' });
    await abort(world, { Error: 'BackupInProgress' }, 'Snapshot', 'run-2');
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toHaveLength(2);
  });

  it('asks for a release when the intent record is this run’s and not settled', async () => {
    const world = new JobWorld();
    const plan = await world.plan({ backup: 'held', type: 'full', execution: 'run-1' });
    expect(await abort(world, { Error: 'X' })).toMatchObject({ release: false });
    const schedules = new InMemorySchedules();
    await armRelease({ work: world.work, schedules, clock: world.clock }, plan, undefined);
    expect(await abort(world, { Error: 'X' })).toMatchObject({ release: true, cluster: 'held', nonce: plan.run.nonce });
    await armRelease({ work: world.work, schedules, clock: world.clock }, plan, undefined);
    expect(await abort(world, { Error: 'X' }, 'Snapshot', 'run-2')).toMatchObject({ release: false });
  });
});

describe('aborting a restore', () => {
  const holds = (world: JobWorld) =>
    world.work.keys().filter((key) => key.startsWith('holds/') || key.startsWith('locks/'));

  it('gives back its hold and its lock', async () => {
    const world = new JobWorld();
    await world.snapshot({ type: 'full', execution: 'run-0' });
    await new RestoreWorld(world, new InMemoryTree([])).plan({ policy: 'none', execution: 'restore-1' });
    expect(holds(world)).toHaveLength(2);
    await abort(world, { Error: 'TargetRunning' }, 'Restore', 'restore-1');
    expect(holds(world)).toEqual([]);
  });

  it('gives back its hold also when it failed while it was planned', async () => {
    const world = new JobWorld();
    const record = await world.snapshot({ type: 'full', execution: 'run-0' });
    await world.vault.put(ranksKey('prod', record.snapshot), Buffer.from('rotten'));
    const restores = new RestoreWorld(world, new InMemoryTree([]));
    await expect(restores.plan({ policy: 'none', execution: 'restore-1' })).rejects.toThrow('has digest');
    expect(holds(world)).toHaveLength(2);
    await abort(world, { Error: 'CatalogCorrupt' }, 'Restore', 'restore-1');
    expect(holds(world)).toEqual([]);
  });

  it('leaves the hold of another restore of the same snapshot', async () => {
    const world = new JobWorld();
    await world.snapshot({ type: 'full', execution: 'run-0' });
    const restores = new RestoreWorld(world, new InMemoryTree([]));
    await restores.plan({ policy: 'none', execution: 'restore-1', cluster: 'dr' });
    await restores.plan({ policy: 'none', execution: 'other-restore-1', cluster: 'prod' });
    await abort(world, { Error: 'X' }, 'Restore', 'restore-1');
    expect(holds(world)).toHaveLength(2);
  });
});
