import { describe, expect, test } from 'vitest';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import type { ExecutionView } from '../../local/workflow/execution.ts';
import { committed, expectFailure } from './support/outcomes.ts';
import type { Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
import { expectSameTree } from './support/trees.ts';

const SMALL = { workers: 2, tomsPerRank: 1, tables: 1, segmentsPerTable: 3, segmentBytes: { medianBytes: 1_000 } };

async function cluster(kind: 'files' | 's3', seed: string): Promise<{ source: Place; cluster: SegmentCluster }> {
  const source = kind === 'files' ? journey.takeFiles() : journey.takeS3();
  const made = new SegmentCluster({ seed, ...SMALL }, source.tree);
  await made.create();
  return { source, cluster: made };
}

function emptyTarget(kind: 'files' | 's3'): Place {
  return kind === 'files' ? journey.takeFiles() : journey.takeS3();
}

describe.each(['files', 's3'] as const)('Lambdas short of time, with a cluster on %s', (kind) => {
  /** One in three gets no time at all, one in three is stopped on its way, and one has all the time it wants. */
  function shortenTime(): () => void {
    journey.hooks.budgetMillis = (_target, invocation) => [1, 62_000, undefined][invocation % 3];
    return journey.laptop.s3.observe({
      before: ({ caller }) => {
        if (caller !== 'laptop') {
          journey.laptop.clock.jump(150);
        }
      },
    });
  }

  function timesInvoked(part: string): number {
    return [...journey.laptop.functions.invocations()]
      .filter(([name]) => name.includes(part))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  test('every loop goes on where it stopped, and the result is the same', async () => {
    const { source } = await cluster(kind, 'short');
    // Above one window, so that a batch has more than one place to stop at.
    for (let part = 0; part < 260; part += 1) {
      await source.tree.write(`rank-1/tom-0/many/${part}.seg`, [Buffer.from(`part ${part}`)]);
    }
    const target = emptyTarget(kind);
    await target.tree.write('rank-1/tom-0/foreign.seg', [Buffer.from('goes')]);
    for (const rank of [0, 1, 2]) {
      await target.tree.write(`rank-${rank}/meta.mdb`, [Buffer.from('old')]);
    }
    const loops = ['EnumerateRank', 'CopyParts', 'FenceRank', 'CompareRank', 'RestoreParts'];
    const before = loops.map(timesInvoked);
    const stop = shortenTime();
    const first = await journey.snapshot(source, 'full');
    await source.tree.remove('rank-1/tom-0/many/7.seg');
    const second = await journey.snapshot(source, 'incremental');
    await journey.restore(source, target, { policy: 'replace' });
    stop();
    expectSameTree(await source.read(), await target.read());
    expect(first.totals.parts - second.totals.parts).toBe(1);
    // Each loop went round more often than it would in peace: ranks 0, 1, 2 and the files of none, two snapshots.
    const rounds = loops.map((part, index) => timesInvoked(part) - (before[index] ?? 0));
    const inPeace = [8, 7, 8, 4, 12];
    expect(rounds.filter((count, index) => count <= (inPeace[index] ?? 0))).toEqual([]);
  });
});

describe('turns', () => {
  const scheduled = { schedule: 'nightly', scheduledTime: '2027-01-01T02:00:00Z' };

  test('a scheduled run waits while another one runs, then goes on from it; a person is told at once', async () => {
    const { source } = await cluster('files', 'turns');
    const running = journey.laptop.s3.faults.hold({
      where: { operation: 'PutObject', bucket: journey.laptop.vaultBucket, key: /meta\.mdb$/ },
    });
    const first = journey.trySnapshot(source, 'full');
    await running.reached;
    const second = journey.trySnapshot(source, 'incremental', scheduled);
    expectFailure(await journey.trySnapshot(source, 'full'), {
      error: 'BackupInProgress',
      problem: /Backup 'files\d+_backup' is held by execution .* since /,
      hint: /Wait until it has ended, or stop it in the Step Functions console/,
    });
    expectFailure(await journey.tryRestore(source, source, { policy: 'replace' }), {
      error: 'SnapshotNotFound',
      problem: /has no snapshot "latest"/,
      hint: /It has no snapshots at all/,
    });
    const waits = () => journey.events.filter(({ type, state }) => type === 'entered' && /^Wait/.test(state)).length;
    for (let minute = 0; minute < 3; minute += 1) {
      journey.laptop.clock.jump(60_000);
      await journey.laptop.runtime.result(await anyQuickRun());
    }
    expect(waits()).toBeGreaterThan(0);
    running.release();
    const [full, incremental] = [committed(await first), committed(await second)];
    expect(incremental).toMatchObject({ type: 'incremental', base: full.snapshot });
  });

  /** Something that ends, so that what became due meanwhile has had its turn. */
  async function anyQuickRun(): Promise<string> {
    return journey.laptop.runtime.start({
      stateMachineArn: journey.laptop.machineArn('Snapshot'),
      input: { backup: 'no_such_backup', type: 'full' },
    }).executionArn;
  }

  test('a delivery that comes twice takes one snapshot, and both executions succeed', async () => {
    const { source } = await cluster('s3', 'delivered twice');
    const [one, other] = await Promise.all([
      journey.trySnapshot(source, 'full', scheduled),
      journey.trySnapshot(source, 'full', scheduled),
    ]);
    const outputs = [one, other].map(({ status, output }) => ({ status, output }));
    expect(outputs).toContainEqual({ status: 'SUCCEEDED', output: expect.objectContaining({ outcome: 'committed' }) });
    expect(outputs).toContainEqual({
      status: 'SUCCEEDED',
      output: expect.objectContaining({ outcome: 'finished', result: 'Duplicate' }),
    });
  });

  test('a cluster that is restored is not snapshotted meanwhile, and the other way round', async () => {
    const { source } = await cluster('files', 'busy');
    await journey.snapshot(source, 'full');
    const target = journey.takeFiles();
    const restoring = journey.laptop.s3.faults.hold({
      where: { operation: 'GetObject', bucket: journey.laptop.vaultBucket, key: /\.seg$/ },
    });
    const restore = journey.tryRestore(source, target);
    await restoring.reached;
    for (const busy of [await journey.trySnapshot(target, 'full'), await journey.tryRestore(source, target)]) {
      expectFailure(busy, {
        error: 'ClusterBusy',
        problem: /Cluster 'files\d+' is held by execution .* since /,
        hint: /Wait until it has ended, or stop it/,
      });
    }
    restoring.release();
    expect((await restore).status).toBe('SUCCEEDED');
    // What is refused gives back what it had taken on its way.
    await journey.snapshot(target, 'full');
  });

  test('the locks of a dead execution are taken over after 16 minutes, not before, and its half is never seen', async () => {
    const { source } = await cluster('s3', 'dead');
    const { runtime } = journey.laptop;
    let dead: ExecutionView | undefined;
    journey.hooks.aroundInvoke = async (call, proceed) => {
      const result = await proceed();
      if (call.state === 'Copy a batch' && dead === undefined) {
        const [running] = runtime.list({ status: 'RUNNING', stateMachineArn: journey.laptop.machineArn('Snapshot') });
        dead = running === undefined ? undefined : runtime.stop(running.executionArn);
      }
      return result;
    };
    expect((await journey.trySnapshot(source, 'full')).status).toBe('ABORTED');
    journey.laptop.clock.jump(13 * 60_000);
    expectFailure(await journey.trySnapshot(source, 'full'), {
      error: 'BackupInProgress',
      problem: new RegExp(`is held by execution ${dead?.name}`),
      hint: /its lock is free 16 minutes after it stopped/,
    });
    journey.laptop.clock.jump(2 * 60_000);
    const next = await journey.snapshot(source, 'incremental');
    expect(next).toMatchObject({
      type: 'full',
      reason: expect.stringContaining('there is no earlier snapshot to build on'),
    });
    const target = journey.takeS3();
    await journey.restore(source, target);
    expectSameTree(await source.read(), await target.read());
  });
});

describe.each(['files', 's3'] as const)('transient faults, with a cluster on %s', (kind) => {
  test('throttling, resets and lost responses fail neither a snapshot nor a restore', async () => {
    const { source, cluster: writing } = await cluster(kind, 'faults');
    const target = emptyTarget(kind);
    const where = { key: (key: string) => !key.includes('/results/') };
    const { faults } = journey.laptop.s3;
    const injected = [
      // Few: clients that were told to slow down do so, in real time.
      faults.inject({ fault: 'slowDown', where, when: { probability: 0.02, seed: 1 }, times: 2 }),
      faults.inject({ fault: 'reset', where, when: { probability: 0.02, seed: 2 }, times: 8 }),
      faults.inject({ fault: 'loseResponse', where, when: { probability: 0.05, seed: 3 }, times: 24 }),
      faults.inject({ fault: 'internalError', where, when: { probability: 0.02, seed: 4 }, times: 8 }),
      faults.inject({ fault: 'errorInBody', where, when: { probability: 0.1, seed: 5 }, times: 4 }),
    ];
    await journey.snapshot(source, 'full');
    await writing.rewrite({ share: 0.5 });
    await journey.snapshot(source, 'incremental');
    await journey.restore(source, target, { policy: 'replace' });
    const struck = injected.reduce((sum, fault) => sum + fault.struck, 0);
    faults.clear();
    expectSameTree(await source.read(), await target.read());
    expect(struck).toBeGreaterThan(20);
  });

  test('a store that is gone for longer than a client tries is waited for by the workflow', async () => {
    const { source } = await cluster(kind, 'outage');
    const target = emptyTarget(kind);
    // Lambda itself fails, or the process ends without a word: once for each function.
    const failed = new Set<string>();
    journey.hooks.aroundInvoke = async (call, proceed) => {
      const name = `${call.functionNameOrArn} ${call.state}`;
      if (failed.has(name)) {
        return proceed();
      }
      failed.add(name);
      // Half of them have done their work before they fail.
      if (failed.size % 2 === 0) {
        await proceed();
      }
      throw Object.assign(new Error('The store is not available. It is tried again.'), { name: 'StoreUnavailable' });
    };
    await journey.snapshot(source, 'full');
    await journey.restore(source, target);
    expectSameTree(await source.read(), await target.read());
    expect(failed.size).toBeGreaterThan(20);
  });
});
