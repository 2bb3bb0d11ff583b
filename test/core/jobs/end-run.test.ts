import { describe, expect, it } from 'vitest';
import { type FailureFacts, recordFailure } from '../../../core/failures.ts';
import { holdSnapshot } from '../../../core/holds.ts';
import { type AbortRequest, abortRequestSchema, abortRun, unlockRun } from '../../../core/jobs/end-run.ts';
import { armRelease } from '../../../core/jobs/release.ts';
import { acquireLock } from '../../../core/locks.ts';
import { nonceOf } from '../../../core/owner.ts';
import { ranksKey } from '../../../core/vault-layout.ts';
import { backupLockKey, RunKeys, verifyLockKey } from '../../../core/work-layout.ts';
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
  machine: AbortRequest['machine'] = 'Snapshot',
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

describe.each(['Maintain', 'Verify'] as const)('aborting a run of %s', (machine) => {
  const kept = (world: JobWorld) =>
    world.work.keys().filter((key) => key.startsWith('holds/') || key.startsWith('locks/'));

  async function taken(world: JobWorld, execution: string, arn = world.start(execution, {}).executionArn) {
    const { startedAt } = world.start(execution, {});
    const owner = { execution, executionArn: arn, nonce: nonceOf(arn, startedAt) };
    const { work, executions, clock } = world;
    await acquireLock({ work, executions, clock }, backupLockKey('prod'), owner);
    await acquireLock({ work, executions, clock }, verifyLockKey('prod'), owner);
    for (const snapshot of ['snapshot.2027-01-01.00-00-00', 'snapshot.2027-01-02.00-00-00']) {
      await holdSnapshot(work, world.vault, {
        backup: 'prod',
        snapshot,
        execution,
        executionArn: arn,
        since: startedAt,
      });
    }
  }

  it('gives back its locks and every hold, and asks for no release', async () => {
    const world = new JobWorld();
    await taken(world, 'run-1');
    expect(kept(world)).toHaveLength(4);
    const answer = await abort(world, { Error: 'CatalogCorrupt', Cause: 'x' }, machine, 'run-1');
    expect(answer).toMatchObject({ error: 'CatalogCorrupt', cause: 'x', release: false });
    expect(kept(world)).toEqual([]);
  });

  it('leaves locks and holds of another execution, also of one that has the same name in another machine', async () => {
    const world = new JobWorld();
    await taken(world, 'run-1', 'arn:aws:states:eu-central-1:111122223333:execution:other:run-1');
    await abort(world, { Error: 'X' }, machine, 'run-1');
    expect(kept(world)).toHaveLength(4);
  });

  it('reports what its own workers left', async () => {
    const world = new JobWorld();
    await recordFailure(world.work, new RunKeys(machine, 'run-1'), {
      facts: { error: 'CatalogCorrupt', message: 'x is broken. Do y.', function: 'survey-removal', transient: false },
      id: 'i',
      atEpochMillis: world.clock.nowEpochMillis(),
    });
    expect(await abort(world, EXCEEDED, machine)).toMatchObject({
      error: 'CatalogCorrupt',
      cause: 'x is broken. Do y.',
    });
  });
});
